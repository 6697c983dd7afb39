"""The figures of the replay on docs/live.md are those of its last run."""

import json

from benchmarks.live_replay.result_table import result_rows
from tests.support.repository import ROOT

RESULT = json.loads((ROOT / "benchmarks/live_replay.json").read_text())


def test_page_has_the_figures_of_the_stored_result():
    page = (ROOT / "docs/live.md").read_text()
    assert [row for row in result_rows(RESULT) if row not in page] == []


def test_stored_result_is_that_of_a_whole_day_without_a_fault():
    assert (RESULT["minutes"], RESULT["speed"], set(RESULT["checks"].values())) == (1_440, 60, {True})


def test_readme_has_the_figures_of_the_stored_result():
    readme = (ROOT / "README.md").read_text()
    count = len(RESULT["candles"]) * RESULT["minutes"]
    assert (
        f"each of {count:,} closed candles was predicted once, equal to a backfill to the bit, 99 % within {RESULT['latencyMs']['p99']} ms"
        in readme
    )
