"""Whether a strategy and its candles fit the model that made the predictions."""

from collections.abc import Iterator

from coinfarm.backtesting.strategy import Strategy
from coinfarm.errors import CoinfarmError
from coinfarm.prediction.model_scope import ModelScope

HORIZON_ASSUMED = "the model's horizon is unknown: {} candles, that of the strategy, are assumed"


def fit_to_model(strategy: Strategy, scope: ModelScope, interval: str, *, allow_mismatch: bool) -> tuple[Strategy, tuple[str, ...]]:
    """The strategy, with the model's horizon unless it sets its own, and a warning for each mismatch with the model.

    Raises `CoinfarmError` for a mismatch, unless `allow_mismatch`.
    """
    if scope.horizon_candles is not None and "horizon_candles" not in strategy.exit.model_fields_set:
        strategy = strategy.model_copy(update={"exit": strategy.exit.model_copy(update={"horizon_candles": scope.horizon_candles})})
    mismatches = tuple(_mismatches(strategy, scope, interval))
    if mismatches and not allow_mismatch:
        raise CoinfarmError(f"{' '.join(mismatches)} Allow it with --allow-mismatch, or allow_mismatch=True")
    return strategy, tuple(f"Mismatch: {text}" for text in mismatches)


def _mismatches(strategy: Strategy, scope: ModelScope, interval: str) -> Iterator[str]:
    horizon = strategy.exit.horizon_candles
    if scope.horizon_candles not in (None, horizon):
        yield (
            f"the strategy exits after {horizon} candles (exit.horizon_candles), but the model predicts the next {scope.horizon_candles}; "
            f"leave the field out to use the model's."
        )
    if scope.differs_from(interval):
        yield f"the predictions are of {interval} candles, but the model was trained on {scope.interval} candles."
