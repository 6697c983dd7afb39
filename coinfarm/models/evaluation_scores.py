"""The scores in an evaluation document: of the model and the baselines, over all frames and by coin."""

from typing import Annotated

from pydantic import ConfigDict, Field

from coinfarm.documents import Document

ConfidenceInterval = tuple[float, float]


class EvaluationPart(Document):
    """Part of an evaluation document; unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore")


class Accuracy(EvaluationPart):
    """How often a predicted sign is correct, in percent of the `frames` whose actual value is not zero, with its interval.

    A prediction of zero is not correct; `right_pct` is None if all are zero.
    """

    frames: int = 0
    right_pct: float | None = None
    interval_pct: ConfidenceInterval | None = None


class DirectionAccuracy(EvaluationPart):
    """The accuracy overall and by parts. `strongest` are the 5 % of the frames with the largest predictions.

    Volatility is by terciles of the evaluated frames.
    """

    overall: Accuracy = Accuracy()
    strongest: Accuracy = Accuracy()
    by_coin: dict[str, Accuracy] = Field(default_factory=dict)
    by_month: dict[str, Accuracy] = Field(default_factory=dict)
    by_hour: dict[str, Accuracy] = Field(default_factory=dict)
    by_volatility: dict[str, Accuracy] = Field(default_factory=dict)


class Decile(EvaluationPart):
    """A tenth of the frames, by prediction: the mean prediction and the mean actual value."""

    frames: int
    predicted_pct: float
    actual_pct: float


class Calibration(EvaluationPart):
    """The line of actual values over predictions, with the interval of its slope, and the deciles."""

    slope: float | None = None
    slope_interval: ConfidenceInterval | None = None
    intercept_pct: float | None = None
    deciles: tuple[Decile, ...] = ()


class DailyRankCorrelation(EvaluationPart):
    """The rank correlation (information coefficient) of each UTC day, their mean and its t-statistic."""

    mean: float | None = None
    t_statistic: float | None = None
    days: int = 0
    by_day: dict[str, float] = Field(default_factory=dict)


class OutputScores(EvaluationPart):
    """How well one output is predicted; errors in percentage points."""

    r2: Annotated[float, Field(le=1)] | None = None
    mean_absolute_error_pct: float | None = None
    rank_correlation: float | None = None


class OutputMetrics(OutputScores):
    """The model's scores, with the interval of R², the rank correlation by day, and the calibration.

    `effective_blocks` is the number of independent blocks of days that the period is worth for R²: with few, there is no interval.
    """

    r2_interval: ConfidenceInterval | None = None
    effective_blocks: float | None = None
    daily_rank_correlation: DailyRankCorrelation = DailyRankCorrelation()
    calibration: Calibration = Calibration()


class BaselineOutput(OutputScores):
    """A baseline's scores, and by how many percent the model's squared errors are smaller (negative: larger)."""

    model_error_reduction_pct: float | None = None
    model_error_reduction_interval_pct: ConfidenceInterval | None = None

    @property
    def error_change_pct(self) -> tuple[float | None, ConfidenceInterval | None]:
        """By how many percent the model's squared errors differ from the baseline's, below zero if they are smaller; and the interval."""
        reduction, bounds = self.model_error_reduction_pct, self.model_error_reduction_interval_pct
        return None if reduction is None else -reduction, None if bounds is None else (-bounds[1], -bounds[0])


class BaselineAccuracy(Accuracy):
    """A baseline's accuracy, and by how many percentage points the model's is higher on the same frames."""

    model_lead_pct: float | None = None
    model_lead_interval_pct: ConfidenceInterval | None = None


class Baseline(EvaluationPart):
    """A baseline's scores on the same frames."""

    outputs: dict[str, BaselineOutput]
    direction: BaselineAccuracy = BaselineAccuracy()
    rise_over_decline: BaselineAccuracy = BaselineAccuracy()


class CoinOutput(OutputScores):
    """The model's scores on the frames of one coin, with the intervals of R² and of the slope of actual values over predictions."""

    r2_interval: ConfidenceInterval | None = None
    slope: float | None = None
    slope_interval: ConfidenceInterval | None = None
    intercept_pct: float | None = None


class CoinScores(EvaluationPart):
    """The scores of the model and the baselines on the frames of one coin; `outputs` by name, `baselines` by name and output."""

    frames: int
    outputs: dict[str, CoinOutput]
    baselines: dict[str, dict[str, BaselineOutput]] = Field(default_factory=dict)
