"""What an evaluation found, as a document: what `coinfarm evaluate --json` prints, and what is kept beside a model."""

from typing import Any

from coinfarm.documents import Document, FromDate, Sha256, ToDate
from coinfarm.models.version import Version

Interval = tuple[float, float]


class EvaluatedModel(Document):
    """Which version was judged, on which engine."""

    name: str
    version: Version
    engine: str


class Counts(Document):
    """Of all windows that lie within the period: how many were judged, and why the others were not.

    `in_sample` is None where the model does not tell what it has learnt from. `effective` is how many independent observations the
    judged frames may amount to at most: labels of frames closer together than a horizon overlap.
    """

    windows: int
    judged: int
    in_sample: int | None
    without_prediction: int
    without_horizon: int
    effective: float


class BaselineFit(Document):
    """What the baselines' constants were fitted on: windows that end, with their horizon, before `before_ms` of their symbol."""

    frames: int
    stride: int
    before_ms: dict[str, int]


class Bootstrap(Document):
    """How every interval was made: by resampling blocks of time, in which all coins stay together."""

    level: float
    samples: int
    block_candles: int
    seed: int


class Accuracy(Document):
    """How often a call was right, in percent of the `frames` after which there was something to call, with its interval.

    A call that was not made (the prediction is zero, or both sides are equal) is not right; None where none was made.
    """

    frames: int
    right_pct: float | None
    interval_pct: Interval | None


class DirectionAccuracy(Document):
    """How often one kind of call was right: overall, and by parts. `strongest` are the 5 % of the frames with the largest predictions.

    Volatility is by terciles of the frames that were judged.
    """

    overall: Accuracy
    strongest: Accuracy
    by_coin: dict[str, Accuracy]
    by_month: dict[str, Accuracy]
    by_hour: dict[str, Accuracy]
    by_volatility: dict[str, Accuracy]


class Decile(Document):
    """A tenth of the frames, by prediction: what was foretold on average, and what happened."""

    frames: int
    predicted_pct: float
    actual_pct: float


class Calibration(Document):
    """Whether predictions can be taken at their word: the line of what happened over what was foretold, and the deciles."""

    slope: float | None
    intercept_pct: float | None
    deciles: tuple[Decile, ...]


class DailyRankCorrelation(Document):
    """The rank correlation (information coefficient) of each UTC day, and what its days say together."""

    mean: float | None
    t_statistic: float | None
    days: int
    by_day: dict[str, float]


class OutputScores(Document):
    """How well one output was foretold; errors in percent points."""

    r2: float | None
    mean_absolute_error_pct: float | None
    rank_correlation: float | None


class OutputMetrics(OutputScores):
    """Of the model also how sure its R² is, by day, and how far it can be taken at its word."""

    r2_interval: Interval | None
    daily_rank_correlation: DailyRankCorrelation
    calibration: Calibration


class BaselineOutput(OutputScores):
    """A baseline's scores, and by how many percent the model's squared errors are smaller than the baseline's (larger: negative)."""

    model_error_reduction_pct: float | None
    model_error_reduction_interval_pct: Interval | None


class BaselineAccuracy(Accuracy):
    """A baseline's calls, and by how many percent points the model is right more often on the same frames."""

    model_lead_pct: float | None
    model_lead_interval_pct: Interval | None


class Baseline(Document):
    """What a baseline reaches on the same frames."""

    outputs: dict[str, BaselineOutput]
    direction: BaselineAccuracy
    rise_over_decline: BaselineAccuracy


class Evaluation(Document):
    """A whole evaluation. `from_date` is in the period, `to_date` is not; windows and horizons lie wholly within it.

    `candles` is per symbol the sha256 over the candles judged on (`open_time`, then open, high, low, close and volume, each column whole,
    little-endian, holes not filled); `candle_files` is where they came from. `direction` is of the end change, `rise_over_decline` whether
    the rise will be greater than the decline. Percent are of the window's last close, shares of frames.
    """

    model: EvaluatedModel
    from_date: FromDate
    to_date: ToDate
    interval: str
    stride: int
    horizon_candles: int
    candles: dict[str, Sha256]
    candle_files: tuple[str, ...]
    includes_in_sample: bool
    frames: int
    counts: Counts
    mean_absolute_end_change_pct: float
    outputs: dict[str, OutputMetrics]
    direction: DirectionAccuracy
    rise_over_decline: DirectionAccuracy
    baselines: dict[str, Baseline]
    baseline_fit: BaselineFit | None
    bootstrap: Bootstrap

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: camelCase, null where there is no value."""
        return self.model_dump(mode="json", by_alias=True)
