"""One cell of the calibration: many streams of one kind, and what the verdict says about them."""

from dataclasses import asdict, dataclass
from math import nan

import numpy as np

from benchmarks.calibration.streams import DEPENDENCES, Stream
from coinfarm.backtesting.inference.break_even import BreakEven
from coinfarm.backtesting.inference.edge import DailyProfit, estimate_edges
from coinfarm.backtesting.inference.edge_inference import MIN_EFFECTIVE_BLOCKS, block_days, infer_edge
from coinfarm.backtesting.inference.verdict import Conclusion, decide_verdict
from coinfarm.backtesting.walk_forward import net_profit_score

_COST_BPS = 24.0
_STREAMS_FOR_TRUTH = 2_000


@dataclass(frozen=True)
class Cell:
    """A kind of stream, and how a strategy is taken from `variants`.

    "fixed" is the best of all, tested on the same days and adjusted for the others; "chosen" is chosen on as many days before, and tested
    alone.
    """

    stream: Stream
    selection: str = "fixed"
    variants: int = 1

    @property
    def key(self) -> str:
        stream = self.stream
        edge = f"{stream.edge_bps:g} bps, {stream.trades_per_day:g} a day, deviation {stream.deviation_bps:g}"
        return f"{stream.dependence.name}; {stream.days} days; {self.selection} of {self.variants}; {edge}"


@dataclass(frozen=True)
class CellResult:
    """Shares of the streams, and figures of the 90 % intervals of those with enough effective blocks.

    `width` is relative to the central 90 % of the estimates themselves. `blocks` is the number of independent days (with trades) that the
    true variance of the estimate corresponds to.
    """

    streams: int
    makes_money: float
    loses_money: float
    unknown: float
    conclusive: float
    coverage: float
    width: float
    blocks: float


def null_cells() -> list[Cell]:
    """Streams without a net edge: every dependence, length and selection."""
    few, all_lengths = (30, 92, 400), (30, 60, 92, 180, 400)
    selections = (("fixed", 1, all_lengths), ("fixed", 40, all_lengths), ("chosen", 40, few), ("chosen", 400, few), ("fixed", 400, few))
    return [
        Cell(Stream(dependence, days), selection, variants)
        for selection, variants, lengths in selections
        for dependence in DEPENDENCES
        for days in lengths
    ]


def power_cells() -> list[Cell]:
    """Streams with a net edge."""
    independent = DEPENDENCES[0]
    edges = ((60.0, 1.5), (30.0, 6.0))
    found = [Stream(independent, 92, edge, trades, deviation) for edge, trades in edges for deviation in (100.0, 150.0, 200.0)]
    return [Cell(stream, selection, variants) for stream in found for selection, variants in (("fixed", 1), ("chosen", 40))]


def evaluate_cell(cell: Cell, streams: int, samples: int, seed: int) -> CellResult:
    """Simulate the streams of a cell."""
    # In the order of their block lengths, so that resamples are shared.
    seeds = sorted(([seed, number] for number in range(streams)), key=lambda each: block_days(_profit(cell, each)))
    found = [infer_edge(_profit(cell, each), samples) for each in seeds]
    conclusions = [decide_verdict(BreakEven(_COST_BPS, _COST_BPS, 1, 1.0, each), cell.variants).conclusion for each in found]
    conclusive = [each for each in found if each.effective_blocks >= MIN_EFFECTIVE_BLOCKS]
    edge = cell.stream.edge_bps
    coverage = width = nan
    true_width, blocks = _truth(cell.stream, seed)
    if cell.variants == 1 and len(conclusive) >= streams / 20:
        coverage = float(np.mean([each.low_bps <= edge <= each.high_bps for each in conclusive]))
        width = float(np.median([each.high_bps - each.low_bps for each in conclusive])) / true_width
    shares = [float(np.mean([each is conclusion for each in conclusions])) for conclusion in Conclusion]
    return CellResult(streams, *shares, len(conclusive) / streams, coverage, width, blocks)


def _profit(cell: Cell, seed: list[int]) -> DailyProfit:
    """The tested strategy, and the others that were tried on the same days."""
    generator = np.random.default_rng(seed)
    profit = cell.stream.sample(generator, cell.variants)
    if cell.selection == "chosen":
        # Profits before and after are independent, so the chosen variant is any variant afterwards.
        before = cell.stream.sample(generator, cell.variants)
        best = int(np.argmax([net_profit_score(net) for net in before.net.T]))
        return DailyProfit(profit.net[:, [best]], profit.stake[:, [best]])
    best = int(np.argmax(estimate_edges(profit).t))
    order = [best, *(number for number in range(cell.variants) if number != best)]
    return DailyProfit(profit.net[:, order], profit.stake[:, order])


def _truth(stream: Stream, seed: int) -> tuple[float, float]:
    """The width in bps of the central 90 % of estimates, and the number of independent days that their variance corresponds to."""
    generator = np.random.default_rng([seed, 1_000_003])
    edges, independent = [], []
    for _ in range(_STREAMS_FOR_TRUTH):
        profit = stream.sample(generator)
        staked = float(profit.stake.sum())
        if staked:
            edge = float(profit.net.sum()) / staked
            edges.append(edge)
            independent.append(float(((profit.net - edge * profit.stake) ** 2).sum()) / staked**2)
    low, high = np.quantile(edges, [0.05, 0.95])
    days = stream.days * stream.dependence.trading_share
    return 1e4 * float(high - low), days * min(1.0, float(np.mean(independent)) / float(np.var(edges)))


def document(cell: Cell, result: CellResult) -> dict[str, object]:
    """The result as JSON."""
    stream = cell.stream
    return {
        "dependence": stream.dependence.name,
        "days": stream.days,
        "selection": cell.selection,
        "variants": cell.variants,
        "edge_bps": stream.edge_bps,
        "trades_per_day": stream.trades_per_day,
        "deviation_bps": stream.deviation_bps,
        **asdict(result),
    }
