"""A summary, as text, of the predictions that a backtest used."""

from coinfarm.backtesting.backtest_result import BacktestResult
from coinfarm.backtesting.checks.scope_check import HORIZON_ASSUMED
from coinfarm.reports.formatting import coins_text, minute_text


def predictions_summary(result: BacktestResult) -> str:
    """How many predictions were excluded (and why), used to choose thresholds, and tested; and how many strategies were tried."""
    excluded, period, trials = result.exclusions, result.period, result.trials
    parts = [f"{excluded.predictions:,} predictions of {coins_text(result.symbols, result.interval)}"]
    for count, reason in (
        (excluded.in_sample, "in sample"),
        (excluded.without_values, "windows without a prediction"),
        (excluded.without_candles, "without candles"),
        (excluded.without_horizon, "without a complete horizon of candles after them"),
    ):
        if count:
            parts.append(f"{count:,} left out: {reason}")
    tested = sum(map(len, result.coins))
    if result.sweep is not None:
        parts.append(f"{excluded.usable - tested:,} to choose thresholds")
    parts.append(
        f"{tested:,} tested, as informative as {result.independent_predictions:,.0f} independent ones, from "
        f"{minute_text(period.start_ms)} to {minute_text(period.stop_ms)} UTC"
    )
    if excluded.in_sample_unknown:
        parts.append(f"{excluded.in_sample_unknown:,} may be in sample: the model's training data is unknown")
    if result.model_horizon is None:
        parts.append(HORIZON_ASSUMED.format(result.strategy.exit.horizon_candles))
    parts.append(
        f"{'1 strategy' if trials.here == 1 else f'{trials.here:,} strategies'} tried on them"
        f"{'' if trials.stored else ' that are known of (this one could not be registered next to the predictions)'}"
    )
    if trials.elsewhere:
        parts.append(f"{trials.count:,} strategies with those at the other intervals of the map")
    return "; ".join(parts) + "."
