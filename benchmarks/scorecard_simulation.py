"""How often the scorecard's answers are right, on simulated days: `python -m benchmarks.scorecard_simulation`.

A stream has the scores of an evaluation, and those of a year of live days, with the same mean and standard deviation 1, or with less skill.
The test is looked at after every day. Writes benchmarks/scorecard_simulation.json and the tables of docs/scorecard.md.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.markdown import table_lines, with_block
from coinfarm.candles.arrays import Values
from coinfarm.candles.interval import interval_ms
from coinfarm.evaluation.block_skill import BlockSkill
from coinfarm.models.evaluations import read_evaluations
from coinfarm.models.live_reference import SkillRecord
from coinfarm.models.model_source import current_version
from coinfarm.models.store import open_model_source
from coinfarm.scorecard.sequential_comparison import SequentialComparison
from coinfarm.serving.settings import reference_model_uri
from coinfarm.storage import open_storage
from coinfarm.storage.local_file import write_file

ROOT = Path(__file__).parent.parent
RESULTS, PAGE = ROOT / "benchmarks/scorecard_simulation.json", ROOT / "docs/scorecard.md"
START, END = "<!-- tables: python -m benchmarks.scorecard_simulation -->", "<!-- end of tables -->"
LIVE_DAYS = 365
LOSS_AFTER = 100
"""The days that a model is as evaluated before it loses its skill."""
_DAYS_TITLES = ("no skill", "as much below zero", f"no skill after {LOSS_AFTER} days", "as evaluated")
_NEIGHBOURS = 20
_GAP = 60
"""Days between an evaluation and the first live day."""
_VOLATILITY_PERSISTENCE = 0.95


@dataclass(frozen=True)
class Cell:
    """`correlation` is that of neighbouring days, `kind` the distribution, `skill` the evaluated mean in standard deviations of a day."""

    kind: str
    correlation: float
    skill: float
    evaluated_days: int

    @property
    def dependence(self) -> str:
        return f"{self.kind}, {self.correlation:g}"


KINDS = ("normal", "heavy tails", "clustered")
DEPENDENCES = tuple((kind, correlation) for kind in KINDS for correlation in (0.0, 0.3, 0.6, 0.8))
CELLS = (
    *(Cell(kind, correlation, 1.0, days) for kind, correlation in DEPENDENCES for days in (50, 180, 365)),
    *(Cell("normal", correlation, skill, 365) for correlation in (0.0, 0.3) for skill in (0.5, 0.7, 1.5)),
)


def scores(random: np.random.Generator, kind: str, correlation: float, days: int) -> Values:
    """`(days,)` with a mean of 0 and a standard deviation of 1.

    Heavy tails are of Student's t distribution with 4 degrees of freedom; clustered ones have a volatility that persists for weeks.
    """
    shocks = random.standard_t(4, size=days) / np.sqrt(2.0) if kind == "heavy tails" else random.normal(size=days)
    if kind == "clustered":
        shocks *= np.exp(0.5 * _autoregression(random.normal(size=days), _VOLATILITY_PERSISTENCE) - 0.25)
    return _autoregression(shocks, correlation)


def _autoregression(shocks: Values, correlation: float) -> Values:
    values: Values = np.sqrt(1.0 - correlation**2) * shocks
    values[0] = shocks[0]
    for day in range(1, len(values)):
        values[day] += correlation * values[day - 1]
    return values


def simulate(cell: Cell, streams: int, seed: int) -> dict[str, Any]:
    """The answers for a cell, as in `answers`."""
    random = np.random.default_rng(seed)
    days = cell.evaluated_days + _GAP + LIVE_DAYS
    noise = (scores(random, cell.kind, cell.correlation, days) for _ in range(streams))
    return answers([(each[: cell.evaluated_days], each[-LIVE_DAYS:]) for each in noise], cell.skill)


def simulate_reference(skill: SkillRecord, streams: int, seed: int) -> dict[str, Any]:
    """The answers for the scores of an evaluation: both sides of a stream are resampled from them, in blocks of neighbours."""
    found = BlockSkill.from_record(skill).scores
    found = found[np.isfinite(found)]
    skill_mean, random = float(found.mean()), np.random.default_rng(seed)

    def drawn(count: int) -> Values:
        start = random.integers(len(found), size=(-(-count // _NEIGHBOURS), 1))
        chosen = ((start + np.arange(_NEIGHBOURS)) % len(found)).ravel()[:count]
        values: Values = found[chosen] - skill_mean
        return values

    live = LIVE_DAYS // skill.block_days
    return answers([(drawn(len(found)), drawn(live)) for _ in range(streams)], skill_mean, skill.block_days)


def answers(streams: Sequence[tuple[Values, Values]], skill: float, block_days: int = 1) -> dict[str, Any]:
    """The shares of wrong answers in percent, and the days until right ones: median and 90 % quantile, None if it takes longer.

    A stream has the evaluated scores and the live ones, both without their mean, `skill`.
    """
    worse = half = 0
    days: dict[str, list[float]] = {f"{name}_days": [] for name in ("as_evaluated", "no_skill", "negative_skill", "lost_skill")}
    for noise, live in streams:
        evaluated = skill + noise
        same = SequentialComparison.of(evaluated, skill + live)
        worse += same.first_alarm is not None
        half += bool(SequentialComparison.of(evaluated, skill / 2.0 + live).is_as_evaluated.any())
        days["as_evaluated_days"].append(_days(next(iter(np.flatnonzero(same.is_as_evaluated)), None)))
        days["no_skill_days"].append(_days(SequentialComparison.of(evaluated, live).first_alarm))
        days["negative_skill_days"].append(_days(SequentialComparison.of(evaluated, live - skill).first_alarm))
        good = LOSS_AFTER // block_days
        lost = SequentialComparison.of(evaluated, live + np.where(np.arange(len(live)) < good, skill, 0.0)).first_alarm
        days["lost_skill_days"].append(_days(lost) - good)
    found = {"worse_pct": 100.0 * worse / len(streams), "half_skill_pct": 100.0 * half / len(streams)}
    return found | {name: [_quantile(values, share, block_days) for share in (0.5, 0.9)] for name, values in days.items()}


def _days(block: Any) -> float:
    return np.inf if block is None else float(block + 1)


def _quantile(values: list[float], share: float, block_days: int) -> float | None:
    found = sorted(values)[int(share * len(values))]
    return None if np.isinf(found) else block_days * found


def tables(results: dict[str, Any]) -> Iterator[str]:
    """The lines of the page."""
    cells = {Cell(**each["cell"]): each for each in results["cells"]}
    evaluated = sorted({cell.evaluated_days for cell in cells})
    error = 100.0 * np.sqrt(0.05 * 0.95 / results["streams"])
    yield (
        f"Measured by `python -m benchmarks.scorecard_simulation` with {results['streams']:,} streams per cell and seed {results['seed']}; "
        f"the standard error of a share of 5 % is {error:.1f} percentage points. A stream is looked at after each of {LIVE_DAYS} days. "
        "Neighbouring days are correlated by the number. Heavy tails: Student's t with 4 degrees of freedom. Clustered: the size of the "
        "scores changes by a factor of 1.6, for weeks."
    )
    for title, name in (
        ("A model that is as evaluated is ever called worse, % of streams", "worse_pct"),
        ("A model with half the skill is ever called as evaluated, % of streams", "half_skill_pct"),
    ):
        yield f"\n### {title}\n"
        rows = (
            (dependence, *(f"{cells[Cell(kind, correlation, 1.0, days)][name]:.1f}" for days in evaluated))
            for kind, correlation in DEPENDENCES
            for dependence in (f"{kind}, {correlation:g}",)
        )
        yield from table_lines(("days", *(f"{days} evaluated days" for days in evaluated)), rows)
    yield "\n### Days until the right answer: median (90 % of the streams)\n"
    yield f"A dash: more than {LIVE_DAYS} days. Skill: the mean of the daily scores divided by their standard deviation.\n"
    chosen = sorted((cell for cell in cells if cell.kind == "normal"), key=lambda each: (each.skill, each.correlation, each.evaluated_days))
    yield from table_lines(
        ("skill", "correlation", "evaluated days", *_DAYS_TITLES),
        ((f"{cell.skill:g}", f"{cell.correlation:g}", str(cell.evaluated_days), *_days_cells(cells[cell])) for cell in chosen),
        text_columns=0,
    )
    yield "\n### The reference model\n"
    yield (
        f"Its own scores of 2023, resampled in blocks of {_NEIGHBOURS} neighbours: the wrong answers, % of streams, and the days until the "
        "right ones.\n"
    )
    yield from table_lines(
        ("interval", "evaluated days", "called worse", "half the skill", *_DAYS_TITLES),
        (
            (name, str(each["evaluated_days"]), f"{each['worse_pct']:.1f}", f"{each['half_skill_pct']:.1f}", *_days_cells(each))
            for name, each in results["reference"].items()
        ),
    )


def _days_cells(found: dict[str, Any]) -> Iterator[str]:
    for name in ("no_skill_days", "negative_skill_days", "lost_skill_days", "as_evaluated_days"):
        yield _days_text(found[name])


def _days_text(days: list[float | None]) -> str:
    median, most = ("–" if each is None else f"{each:.0f}" for each in days)
    return f"{median} ({most})"


def main() -> None:
    """Simulate every cell that is not stored, and write the results and the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scorecard_simulation", description=__doc__)
    parser.add_argument("--streams", type=int, default=400, help="streams per cell [default: %(default)s]")
    parser.add_argument("--seed", type=int, default=1, help="[default: %(default)s]")
    parser.add_argument(
        "--model", default=reference_model_uri(), help="a model root, whose current version was evaluated [default: the reference model]"
    )
    arguments = parser.parse_args()
    run = {"streams": arguments.streams, "seed": arguments.seed}
    before = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    stored = {Cell(**each["cell"]): each for each in before.get("cells", []) if {name: before[name] for name in run} == run}
    cells = [stored.get(cell) or {"cell": asdict(cell)} | simulate(cell, **run) for cell in CELLS]
    results = {**run, "cells": cells, "reference": _reference(arguments.model, **run)}
    write_file(RESULTS, json.dumps(results, indent=1) + "\n")
    write_file(PAGE, with_block(PAGE.read_text(encoding="utf-8"), START, END, tables(results)))


def _reference(model_uri: str, streams: int, seed: int) -> dict[str, Any]:
    """By interval."""
    found = {}
    records = read_evaluations(open_storage(model_uri), current_version(open_model_source(model_uri)))
    for record in sorted(records, key=lambda each: interval_ms(each.interval or "1d")):
        if record.live_reference is not None and record.interval is not None:
            skill = record.live_reference.skill
            days = skill.block_days * max(map(len, skill.by_coin.values()))
            found[record.interval] = {"evaluated_days": days} | simulate_reference(skill, streams, seed)
    return found


if __name__ == "__main__":
    main()
