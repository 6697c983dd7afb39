"""`coinfarm explain`, with a model that always predicts the same number."""

import json
from pathlib import Path

import pytest
from PIL import Image

from coinfarm.candles.parquet_file import parquet_from_candles
from tests.support.cli_runner import coinfarm
from tests.support.demo_requests import demo_candles


@pytest.fixture
def explain(constant_model):
    """Runs the command in a folder with 210 synthetic candles."""
    Path("DEMOUSD-1m.parquet").write_bytes(parquet_from_candles(demo_candles(210)))
    return lambda *arguments: coinfarm("explain", "DEMOUSD-1m.parquet", *arguments)


def test_writes_a_picture_of_the_selected_outputs(explain):
    shown = explain("-o", "why.png")
    assert (shown.exit_code, shown.stdout) == (0, "why.png\n")
    explain("-o", "rise.png", "--of", "maxRisePct")
    with Image.open("why.png") as all_three, Image.open("rise.png") as one:
        assert all_three.format == "PNG"
        assert all_three.width == one.width
        assert all_three.height > one.height


def test_prints_json_of_the_window_at_a_time_without_a_picture(explain):
    document = json.loads(explain("--json", "--group", 50, "--at", "2026-01-01 03:25").stdout)
    assert document["closeTime"] == demo_candles(210).open_time[205] + 59_999
    assert document["predictions"]["maxRisePct"] == 1.5
    assert document["effectsPct"]["maxRisePct"]["all"] == [0.0] * 4
    assert list(Path().glob("*.png")) == []


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        pytest.param([], 2, "--json", id="no output"),
        pytest.param(["--json", "--at", "2026-01-01"], 1, "2026-01-01 03:19 UTC", id="before the first window"),
        pytest.param(["--json", "--at", "noon"], 2, "--at", id="invalid time"),
    ],
)
def test_rejects_invalid_arguments(arguments, code, named, explain):
    rejected = explain(*arguments)
    assert (rejected.exit_code, rejected.stdout) == (code, "")
    assert named in rejected.stderr
