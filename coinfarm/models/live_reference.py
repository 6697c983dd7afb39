"""The part of an evaluation that only live predictions need: what they are compared with, and the bands around them."""

from pydantic import Field

from coinfarm.models.evaluation_scores import ConfidenceInterval, EvaluationPart

Numbers = tuple[float, ...]


class BaselineModels(EvaluationPart):
    """The fitted baselines, to predict live windows too.

    A list has a number for each of the three outputs; a matrix has a row for each regressor, and a column for each output. The trees of
    gradient boosting are not stored.
    """

    mean_pct: Numbers
    per_range: Numbers
    har_coefficients: tuple[Numbers, ...]
    har_intercept_pct: Numbers
    ridge_mean: Numbers
    ridge_deviation: Numbers
    ridge_coefficients: tuple[Numbers, ...]
    ridge_intercept_pct: Numbers


class SkillRecord(EvaluationPart):
    """The skill of the model by coin and block of days, as `coinfarm.evaluation.block_skill` defines it; null for a block without a score.

    Block number `n` begins `n * block_days` days after 1970-01-01. `range_multiples` are the moves that are expected without a model, as
    multiples of a window's price range, one for each output.
    """

    block_days: int = Field(ge=1)
    first_block: int
    range_multiples: Numbers
    by_coin: dict[str, tuple[float | None, ...]]


class TradeFigures(EvaluationPart):
    """Simulated trades; None where there are none to compute a figure from. Basis points are of the stake, `return_pct` of the capital.

    `after_cost_interval_bps` is the 90 % interval of the average trade after costs.
    """

    days: float
    trades: int
    win_rate_pct: float | None = None
    average_trade_before_cost_bps: float | None = None
    average_cost_bps: float | None = None
    average_trade_after_cost_bps: float | None = None
    after_cost_interval_bps: ConfidenceInterval | None = None
    return_pct: float | None = None


class PaperRecord(EvaluationPart):
    """The default strategy on the evaluated frames, whose thresholds are chosen by walk-forward, and the last ones that were chosen."""

    min_end_change_pct: float
    min_rise_to_decline: float
    figures: TradeFigures


class LiveReference(EvaluationPart):
    """What live predictions are compared with.

    `error_quantiles` are by output the quantiles of the outcome minus the prediction, in units of the predicted range
    (`coinfarm.evaluation.error_bands`). `baselines` is None if there were no candles to fit them on, `paper` if the evaluated frames are
    too few to choose thresholds by.
    """

    baselines: BaselineModels | None = None
    error_quantiles: dict[str, Numbers]
    skill: SkillRecord
    paper: PaperRecord | None = None
