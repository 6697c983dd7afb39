"""Strategies and candles must fit the model, unless a mismatch is asked for."""

import pytest

from coinfarm.backtesting.checks.scope_check import fit_to_model
from coinfarm.backtesting.strategy import Exit, Strategy
from coinfarm.errors import CoinfarmError
from coinfarm.prediction.model_scope import UNKNOWN_SCOPE, ModelScope

SCOPE = ModelScope(12, "1m")


def test_the_horizon_defaults_to_that_of_the_model() -> None:
    strategy = Strategy(name="mine", exit=Exit(stop_share=0.5))
    fitted, warnings = fit_to_model(strategy, SCOPE, "1m", allow_mismatch=False)
    assert (fitted.exit.horizon_candles, fitted.exit.stop_share, fitted.name, warnings) == (12, 0.5, "mine", ())


def test_without_a_known_horizon_that_of_the_strategy_is_used() -> None:
    for exits in (Exit(), Exit(horizon_candles=5)):
        fitted, warnings = fit_to_model(Strategy(exit=exits), UNKNOWN_SCOPE, "1h", allow_mismatch=False)
        assert (fitted.exit, warnings) == (exits, ())


def test_a_strategy_may_have_any_horizon_of_the_model() -> None:
    for exits, horizon in ((Exit(), 12), (Exit(horizon_candles=12), 12), (Exit(horizon_candles=100), 100)):
        fitted, warnings = fit_to_model(Strategy(exit=exits), SCOPE, "1m", (50, 100), allow_mismatch=False)
        assert (fitted.exit.horizon_candles, warnings) == (horizon, ())
    with pytest.raises(CoinfarmError, match=r"30 .*12 or 50 or 100"):
        fit_to_model(Strategy().at_horizon(30), SCOPE, "1m", (50, 100), allow_mismatch=False)


@pytest.mark.parametrize(
    ("exits", "interval", "named"),
    [(Exit(horizon_candles=5), "1m", ("5", "12")), (Exit(), "1h", ("1h", "1m"))],
    ids=["horizon", "interval"],
)
def test_a_mismatch_is_rejected_unless_asked_for(exits: Exit, interval: str, named: tuple[str, str]) -> None:
    with pytest.raises(CoinfarmError) as rejected:
        fit_to_model(Strategy(exit=exits), SCOPE, interval, allow_mismatch=False)
    fitted, (warning,) = fit_to_model(Strategy(exit=exits), SCOPE, interval, allow_mismatch=True)
    assert all(value in warning and value in str(rejected.value) for value in named)
    assert fitted.exit.horizon_candles == (5 if exits.model_fields_set else 12)
