"""The scorecard document: what `coinfarm scorecard --json` prints, and `GET /scorecard` answers."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime

from coinfarm.documents import Document, FromDate, ToDate
from coinfarm.models.evaluation_scores import Accuracy, BaselineAccuracy, BaselineOutput, CoinOutput, ConfidenceInterval, Decile
from coinfarm.models.live_reference import TradeFigures

Answer = Literal["as evaluated", "worse than evaluated", "too early to tell"]


class LiveCounts(Document):
    """What became of the stored predictions of a version.

    `pending`: their horizon has not passed. `missing_candles`: a candle of their window or horizon is not in the store. `across_gaps`: the
    exchange had no candles for so long that an evaluation would leave them out, too. `in_sample` are not scored; the `in_sample_unknown`
    are, because the training data of the model is unknown. `corrected_candles` were changed by the exchange after their prediction.
    """

    predictions: int = 0
    scored: int = 0
    pending: int = 0
    in_sample: int = 0
    in_sample_unknown: int = 0
    missing_candles: int = 0
    across_gaps: int = 0
    corrected_candles: int = 0

    def __add__(self, other: "LiveCounts") -> "LiveCounts":
        return LiveCounts(**{name: value + getattr(other, name) for name, value in self})


class ScoredOutput(CoinOutput):
    """The scores of one output, as in an evaluation; `coverage_pct` is how often the outcome is within the nominal 80 % band.

    `deciles` are of the predictions, from the lowest to the highest.
    """

    coverage_pct: float | None = None
    coverage_interval_pct: ConfidenceInterval | None = None
    deciles: tuple[Decile, ...] = ()


class ScoredBaseline(Document):
    """A baseline on the same frames: `outputs` by name, and its direction accuracy."""

    outputs: dict[str, BaselineOutput]
    direction: BaselineAccuracy | None = None


class Scores(Document):
    """The scores of the model, live or in its evaluation: `outputs` and `baselines` by name, and how often the direction was correct."""

    frames: int
    outputs: dict[str, ScoredOutput]
    direction: Accuracy
    baselines: dict[str, ScoredBaseline]


class Comparison(Document):
    """Live scores beside those of the evaluation, None if it has none."""

    live: Scores
    evaluated: Scores | None


class SkillBlock(Document):
    """The score of one block of days, and the mean since the first block with its confidence sequence."""

    first_day: date
    score: float
    mean: float
    low: float
    high: float


class SkillTest(Document):
    """The sequential test of the skill by block of days (`coinfarm.evaluation.block_skill`).

    `interval` is the confidence sequence of the live mean: it holds at all times together, with a probability of 95 %. The answer is "as
    evaluated" while its lower end is above `least_mean`, below which a relevant part of the evaluated skill is lost, and "worse than
    evaluated" for good once `e_value` has reached `alarm_e_value`, on the day `decided_on`. `blocks_needed` is the least number of blocks
    for "as evaluated", None if no number is enough.
    """

    answer: Answer
    reason: str
    block_days: int
    blocks: tuple[SkillBlock, ...] = ()
    mean: float | None = None
    interval: ConfidenceInterval | None = None
    evaluated_mean: float | None = None
    evaluated_interval: ConfidenceInterval | None = None
    evaluated_blocks: int = 0
    least_mean: float | None = None
    e_value: float | None = None
    alarm_e_value: float
    decided_on: date | None = None
    blocks_needed: int | None = None


class EquityPoint(Document):
    """The capital at the end of a day, as a multiple of the initial capital."""

    day: date
    equity: float


class PaperBaseline(Document):
    """A way to trade without predictions, in the same days at the same costs; the mean of the draws of a random one."""

    name: str
    trades: float
    average_trade_after_cost_bps: float | None
    return_pct: float | None


class PaperProfit(Document):
    """What a strategy would have earned with the live predictions, simulated as in a backtest, with its costs.

    Only predictions that were made `in_time` are traded, not the `late` ones. `thresholds` are the minimum predicted end change in percent,
    and the minimum of the rise to the decline; None if a rule decides. `chosen_on` says where they are from. `evaluated` is the same
    strategy on the evaluated frames, None if it was not evaluated.
    """

    strategy: str
    thresholds: tuple[float, float] | None
    chosen_on: Literal["strategy", "evaluation", "live"]
    in_time: int
    late: int
    conclusion: str
    live: TradeFigures
    evaluated: TradeFigures | None
    baselines: tuple[PaperBaseline, ...]
    equity: tuple[EquityPoint, ...]


class EvaluationPeriod(Document):
    """The evaluation that live scores are compared with: the days `[from_date, to_date)`, and its coins."""

    from_date: FromDate
    to_date: ToDate
    symbols: tuple[str, ...]
    frames: int


class LiveScore(Document):
    """The live scores of one version on one exchange and interval, at one horizon.

    `first_close_ms` and `last_close_ms` are of the scored windows, None if there are none; then there is no `together` either. `paper` is
    None if there is nothing to trade, or no strategy for this horizon.
    """

    exchange: str
    interval: str
    version: str
    horizon_candles: int
    counts: LiveCounts
    first_close_ms: int | None
    last_close_ms: int | None
    next_outcome_ms: int | None
    evaluation: EvaluationPeriod | None
    skill: SkillTest
    paper: PaperProfit | None
    together: Comparison | None
    by_symbol: dict[str, Comparison]


class Scorecard(Document):
    """All scores of a live store, of at most the last `days` days. `other_versions` have predictions there, too, and are not scored."""

    store: str
    as_of: AwareDatetime
    days: int
    scores: tuple[LiveScore, ...]
    other_versions: tuple[str, ...] = ()
