"""Maps of intervals without an edge: how often does any of them "make money"?"""

from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.calibration.streams import DEPENDENCES, Dependence, Stream
from coinfarm.backtesting.inference.break_even import BreakEven
from coinfarm.backtesting.inference.edge import DailyProfit
from coinfarm.backtesting.inference.edge_inference import infer_edge
from coinfarm.backtesting.inference.trials import Trial
from coinfarm.backtesting.inference.verdict import Conclusion, decide_verdict
from coinfarm.backtesting.interval_map.joint_test import with_joint_p_value

_COST_BPS = 24.0
_INTERVALS = 5


@dataclass(frozen=True)
class MapCell:
    """Five intervals with a net edge of zero, whose test periods end on the same day. `days` are those of each.

    Those that are `correlated` trade the same coins on the same days, like variants of one strategy.
    """

    dependence: Dependence
    days: tuple[int, ...]
    correlated: bool

    @property
    def key(self) -> str:
        return f"map; {self.dependence.name}; {self.days_text}; {'correlated' if self.correlated else 'independent'}"

    @property
    def days_text(self) -> str:
        """`92 days`, or `30 to 180 days`."""
        return f"{self.days[0]} days" if len(set(self.days)) == 1 else f"{self.days[0]} to {self.days[-1]} days"

    def sample(self, generator: np.random.Generator) -> list[DailyProfit]:
        """The profits of each interval, `(days, 1)`."""
        stream = Stream(self.dependence, max(self.days))
        if self.correlated:
            together = stream.sample(generator, len(self.days))
            profits = [DailyProfit(together.net[:, [at]], together.stake[:, [at]]) for at in range(len(self.days))]
        else:
            profits = [stream.sample(generator) for _ in self.days]
        return [DailyProfit(each.net[-days:], each.stake[-days:]) for each, days in zip(profits, self.days, strict=True)]


@dataclass(frozen=True)
class MapCellResult:
    """The shares of the maps of which some interval makes money: judged together, and each interval judged alone."""

    maps: int
    makes_money: float
    alone: float


def map_cells() -> list[MapCell]:
    """Every dependence with trades on all days, on the same 92 days; and independent days in periods of different lengths."""
    kinds = [each for each in DEPENDENCES if each.trading_share == 1.0]
    same = [MapCell(kind, (92,) * 5, correlated) for correlated in (False, True) for kind in kinds]
    return [*same, MapCell(DEPENDENCES[0], (30, 45, 60, 92, 180), correlated=True)]


def evaluate_map_cell(cell: MapCell, maps: int, samples: int, seed: int) -> MapCellResult:
    """Simulate the maps of a cell."""
    found = [_makes_money(cell.sample(np.random.default_rng([seed, number])), samples) for number in range(maps)]
    together, alone = np.mean(found, axis=0)
    return MapCellResult(maps, float(together), float(alone))


def _makes_money(profits: list[DailyProfit], samples: int) -> tuple[bool, bool]:
    """Whether any interval does: judged together, and alone."""
    last = max(each.days for each in profits)
    trials = [
        Trial(name="", predictions="", first_day=last - each.days, net=tuple(each.net[:, 0]), stake=tuple(each.stake[:, 0]))
        for each in profits
    ]
    together = alone = False
    for at, (profit, trial) in enumerate(zip(profits, trials, strict=True)):
        found = BreakEven(_COST_BPS, _COST_BPS, 1, 1.0, infer_edge(profit, samples))
        # Judging together makes no verdict more certain, so only these need to be judged again.
        if decide_verdict(found, 1).conclusion is Conclusion.MAKES_MONEY:
            alone = True
            judged = with_joint_p_value(found, trial, trials[:at] + trials[at + 1 :], samples)
            together |= decide_verdict(judged, len(trials)).conclusion is Conclusion.MAKES_MONEY
    return together, alone


def map_document(cell: MapCell, result: MapCellResult) -> dict[str, object]:
    """The result as JSON."""
    return {"dependence": cell.dependence.name, "days": cell.days_text, "correlated": cell.correlated, **asdict(result)}
