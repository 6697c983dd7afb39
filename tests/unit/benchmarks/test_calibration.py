"""`make calibrate` with few streams: it continues, and writes the tables of its page."""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.calibration import __main__ as calibration
from benchmarks.calibration.page import END, INTERVALS_END, INTERVALS_START, MAPS_END, MAPS_START, START
from tests.support.repository import ROOT


@pytest.fixture
def calibrate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the cells whose names contain a text; returns the page."""

    @contextmanager
    def threads() -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(2) as pool:
            yield pool

    page = tmp_path / "page.md"
    page.write_text(f"before\n{START}\n{END}\n{MAPS_START}\n{MAPS_END}\nbetween\n{INTERVALS_START}\n{INTERVALS_END}\nafter\n")
    files = {"--output": "calibration.json", "--maps": "maps.json", "--score-intervals": "score_intervals.json", "--page": "page.md"}
    monkeypatch.setattr(calibration, "_pool", threads)

    def run(only: str, streams: int = 12) -> str:
        options = {"--streams": streams, "--samples": 50, "--backtests": 0, "--only": only}
        options |= {option: tmp_path / name for option, name in files.items()}
        monkeypatch.setattr(sys, "argv", ["calibration", *(str(part) for option in options.items() for part in option)])
        calibration.main()
        return page.read_text()

    return run


def test_writes_cells_of_verdicts_and_of_intervals(calibrate: Any, tmp_path: Path) -> None:
    calibrate("independent; 30 days; fixed of 1;")
    for persistence in ("0;", "0.7;", "0.9;"):
        text = calibrate(f"R²; persistence {persistence} 30 days")
    assert len(json.loads((tmp_path / "score_intervals.json").read_text())["cells"]) == 3
    assert len(json.loads((tmp_path / "calibration.json").read_text())["cells"]) == 1
    before, _, after = text.partition(INTERVALS_START)
    assert "| independent | one |" in before
    assert [line.split(" | ")[:2] for line in after.splitlines() if line.startswith(("| rise", "| end"))] == [
        [f"| {output}", persistence] for output in ("rise", "end") for persistence in ("0", "0.7", "0.9")
    ]
    assert text.startswith("before\n")
    assert "\nbetween\n" in text
    assert text.endswith("\nafter\n")


def test_writes_the_shares_of_maps_in_which_an_interval_makes_money(calibrate: Any, tmp_path: Path) -> None:
    text = calibrate("map; three coins; 92 days")
    cells = json.loads((tmp_path / "maps.json").read_text())["cells"]
    assert {(each["days"], each["correlated"]) for each in cells.values()} == {("92 days", True), ("92 days", False)}
    (row,) = [line for line in text.partition(MAPS_START)[2].splitlines() if line.startswith("| three coins")]
    shares = [
        f"{100 * each['makes_money']:.1f} ({100 * each['alone']:.1f})"
        for each in sorted(cells.values(), key=lambda each: -each["correlated"])
    ]
    assert [cell.strip() for cell in row.strip("| ").split("|")[1:]] == shares


def test_the_page_of_the_map_has_the_measured_shares() -> None:
    cells = json.loads((ROOT / "benchmarks/calibration_maps.json").read_text())["cells"].values()
    lasting = [each for each in cells if each["dependence"] == "day effects, 0.9" and not each["correlated"]]
    together = sorted(round(100 * each["makes_money"]) for each in cells if each not in lasting)
    alone = sorted(round(100 * each["alone"]) for each in cells)
    page = " ".join((ROOT / "docs/map.md").read_text().split())
    assert f"in {together[0]} to {together[-1]} % of maps, and in {round(100 * lasting[0]['makes_money'])} % if" in page
    assert f"judged alone, in {alone[0]} to {alone[-1]} %" in page


def test_continues_with_the_same_arguments_only(calibrate: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calibrate("R²; persistence 0; 30")
    stored = (tmp_path / "score_intervals.json").read_text()
    with monkeypatch.context() as patch:
        patch.setattr(calibration, "cell_documents", None)  # simulates nothing
        calibrate("R²; persistence 0; 30")
    assert (tmp_path / "score_intervals.json").read_text() == stored
    calibrate("R²; persistence 0; 30", streams=13)
    (cell,) = json.loads((tmp_path / "score_intervals.json").read_text())["cells"].values()
    assert {each["streams"] for each in cell} == {13}
