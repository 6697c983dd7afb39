"""`make calibrate`: simulate every cell, and write the results to benchmarks and the tables of docs/calibration.md.

calibration.json has the cells of verdicts, calibration_maps.json those of maps of intervals, score_intervals.json those of the intervals of
R². An interrupted run continues: what a file has with the same arguments is not repeated.
"""

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.calibration.backtests import KINDS, conclusion
from benchmarks.calibration.cells import document, evaluate_cell, null_cells, power_cells
from benchmarks.calibration.maps import evaluate_map_cell, map_cells, map_document
from benchmarks.calibration.page import write_page
from benchmarks.score_intervals import CELLS, cell_documents, key_of
from coinfarm.backtesting.inference.verdict import Conclusion
from coinfarm.cli.progress import progress_bar
from coinfarm.storage.local_file import write_file

_ROOT = Path(__file__).parent.parent.parent


def main() -> None:
    """Simulate what is missing, and write the page."""
    arguments = _arguments()
    run = {name: getattr(arguments, name) for name in ("streams", "samples", "backtests", "seed")}
    interval_run = {name: run[name] for name in ("streams", "seed")}
    stored = _stored(arguments.output, run)
    cells, backtests = stored["cells"], stored.get("backtests", [])
    map_run = {name: run[name] for name in ("streams", "samples", "seed")}
    maps = _stored(arguments.maps, map_run)["cells"]
    intervals = _stored(arguments.score_intervals, interval_run)["cells"]
    with _pool() as pool:
        missing = [cell for cell in (*power_cells(), *null_cells()) if arguments.only in cell.key and cell.key not in cells]
        futures = {pool.submit(evaluate_cell, cell, arguments.streams, arguments.samples, arguments.seed): cell for cell in missing}
        for future in _completed(futures, "cells"):
            cells[futures[future].key] = document(futures[future], future.result())
            _store(arguments.output, {"run": run, "cells": cells, "backtests": backtests})
        map_futures = {
            pool.submit(evaluate_map_cell, cell, arguments.streams, arguments.samples, arguments.seed): cell
            for cell in map_cells()
            if arguments.only in cell.key and cell.key not in maps
        }
        for future in _completed(map_futures, "maps"):
            maps[map_futures[future].key] = map_document(map_futures[future], future.result())
            _store(arguments.maps, {"run": map_run, "cells": maps})
        keys = {
            pool.submit(cell_documents, *cell, arguments.streams, arguments.seed): key_of(*cell)
            for cell in CELLS
            if arguments.only in key_of(*cell) and key_of(*cell) not in intervals
        }
        for future in _completed(keys, "intervals of R²"):
            intervals[keys[future]] = future.result()
            _store(arguments.score_intervals, {"run": interval_run, "cells": intervals})
        if arguments.backtests and not backtests:
            backtests = [_run_backtests(pool, kind, arguments) for kind in KINDS]
    _store(arguments.output, {"run": run, "cells": cells, "backtests": backtests})
    write_page(arguments.page, run, cells.values(), backtests, maps.values(), chain.from_iterable(intervals.values()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__)
    parser.add_argument("--streams", type=int, default=1_000, help="streams per cell [default: %(default)s]")
    parser.add_argument("--samples", type=int, default=1_000, help="bootstrap samples per stream [default: %(default)s]")
    parser.add_argument("--backtests", type=int, default=200, help="complete backtests of noise and of foresight [default: %(default)s]")
    parser.add_argument("--seed", type=int, default=1, help="[default: %(default)s]")
    parser.add_argument("--only", default="", help="only cells whose name contains this text, such as '; 92 days;'")
    parser.add_argument("--output", type=Path, default=_ROOT / "benchmarks" / "calibration.json", help="[default: %(default)s]")
    parser.add_argument(
        "--maps", type=Path, default=_ROOT / "benchmarks" / "calibration_maps.json", help="maps of intervals [default: %(default)s]"
    )
    parser.add_argument(
        "--score-intervals",
        type=Path,
        default=_ROOT / "benchmarks" / "score_intervals.json",
        help="the intervals of R² [default: %(default)s]",
    )
    parser.add_argument("--page", type=Path, default=_ROOT / "docs" / "calibration.md", help="[default: %(default)s]")
    return parser.parse_args()


def _completed(futures: Iterable[Future[Any]], what: str) -> Iterator[Future[Any]]:
    """The futures in the order of their completion, with a progress bar."""
    waiting = list(futures)
    with progress_bar(what) as show:
        for done, future in enumerate(as_completed(waiting), 1):
            yield future
            show(done, len(waiting))


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


def _stored(path: Path, run: dict[str, int]) -> dict[str, Any]:
    """The stored results; no cells if the file is missing, or of a run with other arguments."""
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return stored if stored.get("run") == run else {"cells": {}}


def _store(path: Path, results: dict[str, Any]) -> None:
    write_file(path, json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
