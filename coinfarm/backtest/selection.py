"""Thresholds chosen on what came first, and judged on what came later: walk-forward, and purged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from coinfarm.backtest.coin import Indices
from coinfarm.backtest.deflation import sharpe_ratio
from coinfarm.backtest.period import DAY_MS, Period
from coinfarm.backtest.proposals import Proposals
from coinfarm.backtest.simulation import Outcomes, Span, booked, schedule
from coinfarm.backtest.strategy import Strategy, Thresholds
from coinfarm.backtest.trades import Trades
from coinfarm.candles.arrays import Times, Values
from coinfarm.errors import CoinfarmError

SWEEP_STEPS = 20
"""Of each threshold in a full sweep: 400 variants."""
_MIN_SHARE = 0.002
"""The strictest threshold of a grid lets so many of the first part's predictions through."""

_ERRORS = 1.645
"""Standard errors from the mean of a normal to the lower end of its 90 % interval."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Fold:
    """A stretch of time, `[start_ms, stop_ms)`, and the thresholds that it is traded with; `trained_on` trades, all over before it began,
    told which (0 where nothing was chosen).
    """

    start_ms: int
    stop_ms: int
    thresholds: Thresholds
    trained_on: int = 0


@dataclass(frozen=True, eq=False)
class Sweep:
    """All variants of a grid, `(a, b)`: the average trade in bps before costs, and the number of trades, in the first part and in the
    later one; NaN without a trade. `daily_sharpe` is of the first part, after costs.
    """

    min_end_change_pct: Values
    min_rise_to_decline: Values
    first_bps: Values
    later_bps: Values
    first_trades: Indices
    later_trades: Indices
    cost_bps: Values
    daily_sharpe: Values

    @property
    def variants(self) -> list[Thresholds]:
        """In the order of the flattened arrays."""
        return [Thresholds(float(a), float(b)) for a, b in product(self.min_end_change_pct, self.min_rise_to_decline)]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Of one coin: what it proposes, and what would become of it, row by row alike; and those as trades."""

    proposals: Proposals
    outcomes: Outcomes
    trades: Trades


def candidates_of(symbols: tuple[str, ...], coin: int, proposals: Proposals, outcomes: Outcomes, strategy: Strategy) -> Candidates:
    """Of the coin with that index among the symbols; proposals that cannot be carried out are left out."""
    possible = np.isin(proposals.orders.signal, outcomes.orders.signal, assume_unique=True)
    return Candidates(proposals.rows(possible), outcomes, booked(symbols, coin, outcomes, strategy.market))


def choose(candidates: Sequence[Candidates], strategy: Strategy, period: Period, progress: Progress) -> tuple[tuple[Fold, ...], Sweep]:
    """Try every variant of the grid, and for each of the folds after the first part choose the one that did best before it.

    Best is what earned most a trade after costs at the lower end of its 90 % interval, which many trades make narrow, in trades that were
    over before the fold began: none of what it is judged by is known to it. `progress(done, of)` is called after each variant. Raises
    `CoinfarmError` where the first part has no proposal.
    """
    selection = strategy.selection
    cut_ms = period.start_ms + int((period.stop_ms - period.start_ms) * selection.first_part_pct / 100.0)
    bounds = np.linspace(cut_ms, period.stop_ms, selection.folds + 1).astype(np.int64)
    end_changes, ratios = _grid(candidates, strategy, cut_ms)
    shape = (len(end_changes), len(ratios))
    first_bps, later_bps, cost_bps, sharpe = (np.full(shape, np.nan) for _ in range(4))
    first_trades, later_trades = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    scores = np.full((selection.folds, *shape), -np.inf)
    trained_on = np.zeros((selection.folds, *shape), np.int64)
    for done, at in enumerate(np.ndindex(shape)):
        entry_ms, exit_ms, stake, gross, net = _made(candidates, strategy, Thresholds(float(end_changes[at[0]]), float(ratios[at[1]])))
        before, after = exit_ms <= cut_ms, entry_ms >= cut_ms
        first_bps[at], later_bps[at] = _bps(gross[before], stake[before]), _bps(gross[after], stake[after])
        first_trades[at], later_trades[at] = before.sum(), after.sum()
        cost_bps[at] = _bps(gross - net, stake)
        sharpe[at] = _daily_sharpe(exit_ms[before], net[before], period.start_ms, cut_ms)
        for fold, start_ms in enumerate(bounds[:-1]):
            known = exit_ms <= start_ms
            trained_on[fold][at] = known.sum()
            scores[fold][at] = _score(net[known], stake[known], selection.min_trades)
        progress(done + 1, shape[0] * shape[1])
    folds = []
    for fold, (start_ms, stop_ms) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
        best = _best(scores[fold], trained_on[fold])
        folds.append(Fold(start_ms, stop_ms, Thresholds(float(end_changes[best[0]]), float(ratios[best[1]])), int(trained_on[fold][best])))
    return tuple(folds), Sweep(end_changes, ratios, first_bps, later_bps, first_trades, later_trades, cost_bps, sharpe)


def thresholds_at(folds: Sequence[Fold], time_ms: Times) -> tuple[Values, Values]:
    """`(n,)` each: the thresholds that are in force at each time."""
    fold = np.clip(np.searchsorted([each.start_ms for each in folds], time_ms, side="right") - 1, 0, None)
    table = np.array([each.thresholds for each in folds])
    return table[fold, 0], table[fold, 1]


def _grid(candidates: Sequence[Candidates], strategy: Strategy, cut_ms: int) -> tuple[Values, Values]:
    """The values of each threshold: that of the strategy, or such that ever fewer proposals of the first part reach them."""
    first = [each.proposals.rows(each.trades.exit_ms <= cut_ms) for each in candidates]
    if not sum(map(len, first)):
        raise CoinfarmError(
            "the first part of the predictions proposes no trade to choose thresholds by: give more predictions, or set "
            "min_end_change_pct and min_rise_to_decline in the strategy"
        )
    entry, selection = strategy.entry, strategy.selection
    end_change = np.concatenate([each.end_change_pct for each in first])
    ratio = np.concatenate([each.rise_to_decline for each in first])
    return (
        _steps(end_change, entry.min_end_change_pct, selection.end_change_steps),
        _steps(ratio, entry.min_rise_to_decline, selection.rise_to_decline_steps),
    )


def _steps(values: Values, given: float | None, steps: int) -> Values:
    if given is not None:
        return np.array([given])
    shares = np.geomspace(1.0, _MIN_SHARE, steps) if steps > 1 else np.array([1.0])
    quantiles: Values = np.unique(np.quantile(values, 1.0 - shares))
    return quantiles


def _made(candidates: Sequence[Candidates], strategy: Strategy, thresholds: Thresholds) -> tuple[Times, Times, Values, Values, Values]:
    """Entries, exits, stakes, profits before and after costs of the trades that the thresholds let come about."""
    reaching = [np.flatnonzero(each.proposals.reaching(*thresholds)) for each in candidates]
    spans = [
        Span(each.outcomes.orders.signal[rows], each.outcomes.exit_at[rows], each.outcomes.candles.open_time)
        for each, rows in zip(candidates, reaching, strict=True)
    ]
    taken = schedule(spans, strategy.size.positions_per_coin, strategy.size.max_positions)
    made = [each.trades.rows(rows[at]) for each, rows, at in zip(candidates, reaching, taken, strict=True)]
    columns = [(each.entry_ms, each.exit_ms, each.stake, each.gross, each.net) for each in made]
    entry_ms, exit_ms, stake, gross, net = (np.concatenate(column) for column in zip(*columns, strict=True))
    return entry_ms, exit_ms, stake, gross, net


def _bps(amount: Values, stake: Values) -> float:
    return 1e4 * float(amount.sum()) / float(stake.sum()) if len(stake) else float("nan")


def _daily_sharpe(exit_ms: Times, net: Values, start_ms: int, stop_ms: int) -> float:
    first = start_ms // DAY_MS
    days = max(1, -(-stop_ms // DAY_MS) - first)
    daily = np.bincount(np.clip(exit_ms // DAY_MS - first, 0, days - 1), net, minlength=days)
    return sharpe_ratio(daily.astype(np.float64))


def _score(net: Values, stake: Values, min_trades: int) -> float:
    if len(net) < min_trades:
        return -np.inf
    mean = float(net.sum()) / float(stake.sum())
    error = float(np.sqrt(((net - mean * stake) ** 2).sum())) / float(stake.sum())
    return mean - _ERRORS * error


def _best(scores: Values, trades: Indices) -> tuple[int, ...]:
    """The variant with the best score; where all have too few trades for one, that with the most."""
    by = scores if np.isfinite(scores).any() else trades
    return tuple(int(at) for at in np.unravel_index(int(np.argmax(by)), by.shape))
