"""Thresholds chosen on earlier trades and tested on later ones: walk-forward, and purged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import sqrt

import numpy as np

from coinfarm.backtesting.execution.fills import Fills
from coinfarm.backtesting.execution.position_schedule import Holdings, schedule
from coinfarm.backtesting.execution.proposals import Proposals
from coinfarm.backtesting.execution.simulation import trades_from_fills
from coinfarm.backtesting.execution.trades import Trades
from coinfarm.backtesting.inference.daily_profit import mark_to_market
from coinfarm.backtesting.period import BacktestPeriod
from coinfarm.backtesting.predicted_coin import Indices
from coinfarm.backtesting.strategy import Strategy, Thresholds
from coinfarm.candles.arrays import Times, Values
from coinfarm.errors import CoinfarmError

SWEEP_STEPS = 20
"""The number of values of each threshold in a full sweep: 400 variants."""
_MIN_SHARE = 0.002
"""The share of the first part's predictions that reach the strictest threshold of a grid."""
_Z_90 = 1.645
"""Standard errors from a normal distribution's mean to the lower end of its 90 % interval."""


@dataclass(frozen=True)
class Fold:
    """A period, `[start_ms, stop_ms)`, and the thresholds that it is traded with, which were chosen on `selection_trades` trades that ended
    before it (0 if nothing was chosen).
    """

    start_ms: int
    stop_ms: int
    thresholds: Thresholds
    selection_trades: int = 0


@dataclass(frozen=True, eq=False)
class Sweep:
    """All variants of a grid, `(a, b)`: the average trade in bps before costs, and the number of trades, in the first part and in the later
    one; NaN without a trade. `daily_net` `(days, a * b)` is the net profit of each variant on each day of both parts.
    """

    min_end_change_pct: Values
    min_rise_to_decline: Values
    first_bps: Values
    later_bps: Values
    first_trades: Indices
    later_trades: Indices
    cost_bps: Values
    daily_net: Values

    @property
    def variants(self) -> list[Thresholds]:
        """In the order of the flattened arrays."""
        return [Thresholds(float(a), float(b)) for a, b in product(self.min_end_change_pct, self.min_rise_to_decline)]


@dataclass(frozen=True, eq=False)
class ProposedTrades:
    """One coin's proposals that can be filled, with the fills and the trade of each, row by row."""

    proposals: Proposals
    fills: Fills
    trades: Trades


def proposed_trades(symbols: tuple[str, ...], coin: int, proposals: Proposals, fills: Fills) -> ProposedTrades:
    """The proposed trades of the coin with that index in `symbols`."""
    filled = np.isin(proposals.orders.signal, fills.orders.signal, assume_unique=True)
    return ProposedTrades(proposals.rows(filled), fills, trades_from_fills(symbols, coin, fills))


def choose_thresholds(
    proposed: Sequence[ProposedTrades], strategy: Strategy, period: BacktestPeriod, on_variant: Callable[[int, int], None]
) -> tuple[tuple[Fold, ...], Sweep]:
    """Try every variant of the grid, and choose the best one for each of the folds after the first part.

    The best variant has the highest lower end of the 90 % interval of its net profit, over the trades that ended before the fold began, so
    nothing that a fold is tested on is known to the choice. `on_variant(done, total)` is called after each variant. Raises `CoinfarmError`
    if there is no proposal in the first part.
    """
    selection, candles = strategy.selection, [each.fills.candles for each in proposed]
    cut_ms = period.start_ms + int((period.stop_ms - period.start_ms) * selection.first_part_pct / 100.0)
    bounds = np.linspace(cut_ms, period.stop_ms, selection.folds + 1).astype(np.int64)
    end_changes, ratios = _grid(proposed, strategy, cut_ms)
    shape = (len(end_changes), len(ratios))
    first_bps, later_bps, cost_bps = (np.full(shape, np.nan) for _ in range(3))
    daily_net = np.zeros((period.utc_days, len(end_changes) * len(ratios)))
    first_trades, later_trades = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    scores = np.full((selection.folds, *shape), -np.inf)
    selection_trades = np.zeros((selection.folds, *shape), np.int64)
    for done, at in enumerate(np.ndindex(shape)):
        thresholds = Thresholds(float(end_changes[at[0]]), float(ratios[at[1]]))
        trades = _variant_trades(proposed, strategy, thresholds)
        first, later = trades.rows(trades.exit_ms <= cut_ms), trades.rows(trades.entry_ms >= cut_ms)
        first_bps[at], later_bps[at] = _bps(first.gross, first.stake), _bps(later.gross, later.stake)
        first_trades[at], later_trades[at] = len(first), len(later)
        cost_bps[at] = _bps(trades.cost, trades.stake)
        daily_net[:, done] = mark_to_market(trades, candles, period).net
        for fold, start_ms in enumerate(bounds[:-1].tolist()):
            ended = trades.rows(trades.exit_ms <= start_ms)
            selection_trades[fold][at] = len(ended)
            if len(ended) >= selection.min_trades:
                before = BacktestPeriod(period.start_ms, start_ms)
                scores[fold][at] = net_profit_score(mark_to_market(ended, candles, before).net)
        on_variant(done + 1, shape[0] * shape[1])
    folds = []
    for fold, (start_ms, stop_ms) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
        best = _best(scores[fold], selection_trades[fold])
        thresholds = Thresholds(float(end_changes[best[0]]), float(ratios[best[1]]))
        folds.append(Fold(start_ms, stop_ms, thresholds, int(selection_trades[fold][best])))
    return tuple(folds), Sweep(end_changes, ratios, first_bps, later_bps, first_trades, later_trades, cost_bps, daily_net)


def thresholds_at(folds: Sequence[Fold], time_ms: Times) -> tuple[Values, Values]:
    """`(n,)` each: the two thresholds that apply at each time."""
    fold = np.clip(np.searchsorted([each.start_ms for each in folds], time_ms, side="right") - 1, 0, None)
    table = np.array([each.thresholds for each in folds])
    return table[fold, 0], table[fold, 1]


def _grid(proposed: Sequence[ProposedTrades], strategy: Strategy, cut_ms: int) -> tuple[Values, Values]:
    """The values of each threshold: the strategy's own, or quantiles that fewer and fewer proposals of the first part reach."""
    first = [each.proposals.rows(each.trades.exit_ms <= cut_ms) for each in proposed]
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


def _variant_trades(proposed: Sequence[ProposedTrades], strategy: Strategy, thresholds: Thresholds) -> Trades:
    """The trades with these thresholds."""
    reaching = [np.flatnonzero(each.proposals.reach_thresholds(*thresholds)) for each in proposed]
    holdings = [
        Holdings(each.fills.orders.signal[rows], each.fills.exit_at[rows], each.fills.orders.stake[rows], each.fills.candles.open_time)
        for each, rows in zip(proposed, reaching, strict=True)
    ]
    placed = [rows[at] for rows, at in zip(reaching, schedule(holdings, strategy.size.limits), strict=True)]
    return Trades.concatenate([each.trades.rows(rows[each.fills.filled[rows]]) for each, rows in zip(proposed, placed, strict=True)])


def _bps(amount: Values, stake: Values) -> float:
    return 1e4 * float(amount.sum()) / float(stake.sum()) if len(stake) else float("nan")


def net_profit_score(daily_net: Values) -> float:
    """The lower end of the 90 % interval of the net profit, from that of each day `(days,)`."""
    return float(daily_net.sum() - _Z_90 * daily_net.std() * sqrt(len(daily_net)))


def _best(scores: Values, trades: Indices) -> tuple[int, ...]:
    """The variant with the best score; if all have too few trades for a score, the one with the most trades."""
    by = scores if np.isfinite(scores).any() else trades
    return tuple(int(at) for at in np.unravel_index(int(np.argmax(by)), by.shape))
