"""`make calibrate`: simulate every cell, and write benchmarks/calibration.json and the tables of docs/calibration.md.

An interrupted run continues: cells that the JSON file has with the same arguments are not repeated.
"""

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.calibration.backtests import KINDS, conclusion
from benchmarks.calibration.cells import document, evaluate_cell, null_cells, power_cells
from benchmarks.calibration.page import write_page
from coinfarm.backtesting.inference.verdict import Conclusion
from coinfarm.cli.progress import progress_bar
from coinfarm.storage.local_file import write_file

_ROOT = Path(__file__).parent.parent.parent


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__)
    parser.add_argument("--streams", type=int, default=1_000, help="streams per cell [default: %(default)s]")
    parser.add_argument("--samples", type=int, default=1_000, help="bootstrap samples per stream [default: %(default)s]")
    parser.add_argument("--backtests", type=int, default=200, help="complete backtests of noise and of foresight [default: %(default)s]")
    parser.add_argument("--seed", type=int, default=1, help="[default: %(default)s]")
    parser.add_argument("--only", default="", help="only cells whose name contains this text, such as '; 92 days;'")
    parser.add_argument("--output", type=Path, default=_ROOT / "benchmarks" / "calibration.json", help="[default: %(default)s]")
    parser.add_argument("--page", type=Path, default=_ROOT / "docs" / "calibration.md", help="[default: %(default)s]")
    arguments = parser.parse_args()
    run = {name: getattr(arguments, name) for name in ("streams", "samples", "backtests", "seed")}
    cells = _known_cells(arguments.output, run)
    with _pool() as pool:
        missing = [cell for cell in (*power_cells(), *null_cells()) if arguments.only in cell.key and cell.key not in cells]
        futures = {pool.submit(evaluate_cell, cell, arguments.streams, arguments.samples, arguments.seed): cell for cell in missing}
        with progress_bar("cells") as show:
            for done, future in enumerate(as_completed(futures), 1):
                cells[futures[future].key] = document(futures[future], future.result())
                _store(arguments.output, run, cells, [])
                show(done, len(futures))
        backtests = [_run_backtests(pool, kind, arguments) for kind in KINDS] if arguments.backtests else []
    _store(arguments.output, run, cells, backtests)
    write_page(arguments.page, run, cells.values(), backtests)


def _run_backtests(pool: ProcessPoolExecutor, kind: str, arguments: argparse.Namespace) -> dict[str, Any]:
    seeds = range(arguments.seed, arguments.seed + arguments.backtests)
    found = Counter(pool.map(partial(conclusion, kind, samples=arguments.samples), seeds, chunksize=5))
    counts = zip(("makes_money", "loses_money", "unknown"), Conclusion, strict=True)
    return {"kind": kind, "count": arguments.backtests} | {name: found[str(each)] for name, each in counts}


@contextmanager
def _pool() -> Iterator[ProcessPoolExecutor]:
    """One process for each core, each with one thread."""
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), get_context("spawn")) as pool:
        yield pool


def _known_cells(path: Path, run: dict[str, int]) -> dict[str, Any]:
    if not path.exists():
        return {}
    stored = json.loads(path.read_text(encoding="utf-8"))
    return dict(stored["cells"]) if stored["run"] == run else {}


def _store(path: Path, run: dict[str, int], cells: dict[str, Any], backtests: list[dict[str, Any]]) -> None:
    write_file(path, json.dumps({"run": run, "cells": cells, "backtests": backtests}, indent=1) + "\n")


if __name__ == "__main__":
    main()
