"""Whether a strategy and its candles fit the model that made the predictions."""

from collections.abc import Iterator

from coinfarm.backtesting.strategy import Strategy
from coinfarm.errors import CoinfarmError
from coinfarm.prediction.model_scope import ModelScope

HORIZON_ASSUMED = "the model's horizon is unknown: {} candles, that of the strategy, are assumed"


def fit_to_model(
    strategy: Strategy, scope: ModelScope, interval: str, further_horizons: tuple[int, ...] = (), *, allow_mismatch: bool
) -> tuple[Strategy, tuple[str, ...]]:
    """The strategy, with the model's first horizon unless it sets its own, and a warning for each mismatch with the model.

    Raises `CoinfarmError` for a mismatch, unless `allow_mismatch`.
    """
    strategy = with_model_horizon(strategy, scope)
    mismatches = tuple(_mismatches(strategy, scope, interval, further_horizons))
    if mismatches and not allow_mismatch:
        raise CoinfarmError(f"{' '.join(mismatches)} Allow it with --allow-mismatch, or allow_mismatch=True")
    return strategy, tuple(f"Mismatch: {text}" for text in mismatches)


def with_model_horizon(strategy: Strategy, scope: ModelScope) -> Strategy:
    """The strategy, with the model's first horizon unless it sets its own or the model's is unknown."""
    if scope.horizon_candles is None or "horizon_candles" in strategy.exit.model_fields_set:
        return strategy
    return strategy.at_horizon(scope.horizon_candles)


def _mismatches(strategy: Strategy, scope: ModelScope, interval: str, further_horizons: tuple[int, ...]) -> Iterator[str]:
    horizon = strategy.exit.horizon_candles
    if scope.horizon_candles not in (None, horizon) and horizon not in further_horizons:
        horizons = " or ".join(map(str, (scope.horizon_candles, *further_horizons)))
        yield (
            f"the strategy exits after {horizon} candles (exit.horizon_candles), but the model predicts the next {horizons}; "
            f"leave the field out to use the model's."
        )
    if scope.differs_from(interval):
        yield f"the predictions are of {interval} candles, but the model was trained on {scope.interval} candles."
