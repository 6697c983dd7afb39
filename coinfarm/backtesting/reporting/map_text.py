"""The map of intervals in words."""

from collections.abc import Sequence

from coinfarm.backtesting.inference.edge_inference import MAX_P_VALUE
from coinfarm.backtesting.inference.verdict import Conclusion
from coinfarm.backtesting.interval_map.interval_map import IntervalMap


def map_headline(found: IntervalMap) -> str:
    """The answer at every interval, in one sentence; after a leak it says that it is worth nothing."""
    parts = [f"{conclusion.short} at {_listed(found.at(conclusion))}" for conclusion in Conclusion if found.at(conclusion)]
    text = f"Over {len(found.intervals)} intervals: {'; '.join(parts)}."
    leaking = [each.interval for each in found.intervals if each.result.leaks]
    return f"{text} The predictions contain the future at {_listed(leaking)}, so that is worth nothing there." if leaking else text


def map_warnings(found: IntervalMap) -> tuple[str, ...]:
    """The reasons not to trust the answers: mismatches and leaks, by interval."""
    return tuple(f"{each.interval}: {warning}" for each in found.intervals for warning in each.result.warnings)


def tries_text(found: IntervalMap) -> str:
    """What the verdicts of the map count as tries."""
    return (
        f"The best of several intervals is the best of several tries: the answer at each interval counts all {found.tried} strategies that "
        f"were tried at all of them, so that luck makes money at any of them in at most about {200 * MAX_P_VALUE:.0f} % of such maps."
    )


def _listed(intervals: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(intervals[:-1]), intervals[-1])))
