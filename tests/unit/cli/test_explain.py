"""`coinfarm explain`, run as a person runs it, over a model that answers with a number."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.cli import main
from coinfarm.storage import open_storage
from tests.support.demo_requests import demo_candles
from tests.support.fake_models import FakeEngine, promote_model

Run = Callable[..., Result]


@pytest.fixture
def explain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Explains 210 generated candles, in an empty folder."""
    promote_model(open_storage(str(tmp_path / "models")), tmp_path / "bundle", "1.5")
    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *options: FakeEngine(bundle))
    monkeypatch.setenv("MODEL_URI", str(tmp_path / "models"))
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path("DEMOUSD-1m.parquet").write_bytes(parquet_from_candles(demo_candles(210)))
    return lambda *arguments: CliRunner().invoke(main, ["explain", "DEMOUSD-1m.parquet", *(str(argument) for argument in arguments)])


def test_the_picture_is_written_and_named(explain: Run) -> None:
    shown = explain("-o", "why.png")
    assert (shown.exit_code, shown.stdout) == (0, "why.png\n")
    explain("-o", "rise.png", "--of", "maxRisePct")
    with Image.open("why.png") as all_three, Image.open("rise.png") as one:
        assert all_three.format == "PNG"
        assert all_three.width == one.width
        assert all_three.height > one.height


def test_numbers_are_printed_without_a_picture(explain: Run) -> None:
    document = json.loads(explain("--json", "--group", 50).stdout)
    assert document["predictions"]["maxRisePct"] == 1.5
    assert document["effectsPct"]["maxRisePct"]["all"] == [0.0] * 4
    assert list(Path().glob("*.png")) == []


def test_the_window_is_the_one_at_the_time(explain: Run) -> None:
    last = demo_candles(210).open_time[205]
    document = json.loads(explain("--json", "--at", "2026-01-01 03:25").stdout)
    assert document["closeTime"] == last + 59_999


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param([], 2, "give -o PNG, or --json, or both", id="nothing to do"),
        pytest.param(["--json", "--at", "2026-01-01"], 1, "the first ends at 2026-01-01 03:19 UTC", id="no such window"),
        pytest.param(["--json", "--at", "noon"], 2, "Invalid value for '--at'", id="no time"),
        pytest.param(["--json", "--group", "0"], 2, "Invalid value for '--group'", id="no group"),
        pytest.param(["--json", "--of", "volume"], 2, "Invalid value for '--of'", id="no output"),
    ],
)
def test_what_cannot_be_explained_is_said(arguments: list[str], code: int, said: str, explain: Run) -> None:
    refused = explain(*arguments)
    assert (refused.exit_code, refused.stdout) == (code, "")
    assert said in refused.stderr
