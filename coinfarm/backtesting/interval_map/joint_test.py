"""One multiple test over the intervals of a map: the best of several intervals is the best of several tries."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from coinfarm.backtesting.backtest_result import BacktestResult, TrialSummary
from coinfarm.backtesting.inference.break_even import BreakEven
from coinfarm.backtesting.inference.deflation import deflated_sharpe_probability
from coinfarm.backtesting.inference.edge import DailyProfit
from coinfarm.backtesting.inference.edge_inference import infer_edge
from coinfarm.backtesting.inference.trials import Trial, TrialKey, new_trial
from coinfarm.backtesting.inference.verdict import decide_verdict

_NOT_REGISTERED = TrialKey("", "")


def judge_together(results: Sequence[BacktestResult], samples: int, seed: int = 0) -> tuple[BacktestResult, ...]:
    """The same backtests with verdicts that count every strategy tried at any of their intervals.

    `samples` is the number of bootstrap samples. A verdict can only become less certain.
    """
    own = [new_trial(_name(each, each.strategy.name), _NOT_REGISTERED, each.period.first_day, each.marked.profit) for each in results]
    tried = [(trial, *_renamed(each)) for trial, each in zip(own, results, strict=True)]
    found = []
    for at, result in enumerate(results):
        elsewhere = tuple(trial for other, trials in enumerate(tried) if other != at for trial in trials)
        judged = with_joint_p_value(result.break_even, own[at], (*result.trials.others, *elsewhere), samples, seed)
        found.append(_with_tries(result, elsewhere, judged))
    return tuple(found)


def with_joint_p_value(found: BreakEven, tested: Trial, others: Sequence[Trial], samples: int, seed: int = 0) -> BreakEven:
    """What was found about the tested trial, with a p value that counts the others too: it can only rise."""
    p_value = joint_p_value((tested, *others), samples, seed)
    return replace(found, inference=replace(found.inference, adjusted_p_value=max(p_value, found.inference.adjusted_p_value)))


def joint_p_value(trials: Sequence[Trial], samples: int, seed: int = 0) -> float:
    """The probability that the best of the trials shows the edge of the first one by luck.

    They are resampled together, on all days that any of them covers: trials of the same days keep their dependence, and those of other
    days are independent.
    """
    first_day = min(each.first_day for each in trials)
    days = max(each.first_day + len(each.net) for each in trials) - first_day
    profits = [each.on_days(first_day, days) for each in trials]
    profit = DailyProfit(np.column_stack([each.net for each in profits]), np.column_stack([each.stake for each in profits]))
    return infer_edge(profit, samples, seed).adjusted_p_value


def _with_tries(result: BacktestResult, elsewhere: tuple[Trial, ...], found: BreakEven) -> BacktestResult:
    others, period = result.trials.others, result.period
    daily_net = [each.on_days(period.first_day, period.utc_days).net for each in (*others, *elsewhere)]
    probability = deflated_sharpe_probability(np.column_stack([result.marked.net, *daily_net]))
    trials = TrialSummary(others, probability, result.trials.stored, elsewhere)
    if not len(result.trades):
        return replace(result, trials=trials)
    verdict = decide_verdict(found, trials.count).with_warnings(result.mismatches, result.leaks)
    return replace(result, trials=trials, break_even=found, verdict=verdict)


def _renamed(result: BacktestResult) -> tuple[Trial, ...]:
    return tuple(each.model_copy(update={"name": _name(result, each.name)}) for each in result.trials.others)


def _name(result: BacktestResult, strategy: str) -> str:
    return f"{strategy}, {result.interval} candles"
