"""The figures in the pages are those of results.json."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from benchmarks import plots
from benchmarks.performance_page import PAGES, RESULTS, ROOT, write_pages
from coinfarm.backfill.prices import LAMBDA_MB_PER_CORE, LAMBDA_USD_PER_GB_S, LAMBDA_USD_PER_REQUEST


@pytest.fixture
def results() -> Any:
    return json.loads(RESULTS.read_text())


@pytest.fixture
def pages(tmp_path: Path) -> dict[str, Path]:
    """Copies of the pages, by name."""
    copies = {name: tmp_path / name for name in PAGES}
    for name, path in copies.items():
        path.parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, path)
    return copies


def test_pages_show_the_stored_results(results: Any, pages: dict[str, Path], tmp_path: Path) -> None:
    """If not, run python -m benchmarks.performance_page."""
    write_pages(results, tmp_path)
    assert {name: path.read_text() for name, path in pages.items()} == {name: (ROOT / name).read_text() for name in pages}


def test_a_new_run_renews_costs_and_times(results: Any, pages: dict[str, Path], tmp_path: Path) -> None:
    results["machine"]["cores"] = 2
    results["comparison"]["figures"]["parquetFramesPerSecond"] = {"reference": 25_000.0, "0.1.0": 5_000.0, "ratio": 5.0}
    write_pages(results, tmp_path)
    gb_s = 1e6 / 25_000 * 2 * LAMBDA_MB_PER_CORE / 1024
    usd = f"{gb_s * LAMBDA_USD_PER_GB_S + 1e6 / 1_440 * LAMBDA_USD_PER_REQUEST:.4f}"
    performance = pages["docs/performance.md"].read_text()
    assert f"| reference model | 25,000 | 2.1 | {usd} |" in performance
    assert "| reference model of 0.1.0 | 5,000 | 10.5 |" in performance
    assert f"${usd}" in pages["README.md"].read_text()
    assert "21,255 frames per second and function" in pages["docs/operations.md"].read_text()


def test_a_page_without_its_comments_is_not_changed(results: Any, pages: dict[str, Path], tmp_path: Path) -> None:
    pages["README.md"].write_text("no comments")
    with pytest.raises(ValueError, match="figures: make bench"):
        write_pages(results, tmp_path)
    assert pages["README.md"].read_text() == "no comments"


def test_draws_all_plots_from_the_stored_results(results: Any, tmp_path: Path) -> None:
    plots.write_plots(results, tmp_path)
    assert {path.name for path in tmp_path.glob("*.png")} == {"costs.png", "multiply-adds.png", "throughput.png"}
    assert {path.name for path in RESULTS.parent.glob("*.png")} == {"costs.png", "multiply-adds.png", "throughput.png"}
