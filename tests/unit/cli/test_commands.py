"""The `coinfarm` command, run as a person runs it, over a model that answers with a number."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from coinfarm.candles.json_rows import rows_from_candles
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candles.synthetic import generate
from coinfarm.cli import main
from coinfarm.prediction.series import Series
from coinfarm.serving.chart import chart_png
from coinfarm.storage import open_storage
from tests.support.demo_requests import demo_candles, demo_request
from tests.support.fake_models import FakeEngine, promote_model, seal
from tests.support.repository import ROOT

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command in an empty folder, with a model that answers 1.5."""
    promote_model(open_storage(str(tmp_path / "models")), tmp_path / "bundle", "1.5")
    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *options: FakeEngine(bundle))
    monkeypatch.setenv("MODEL_URI", str(tmp_path / "models"))
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def candles() -> Path:
    """210 generated candles, in the folder where the command runs."""
    path = Path("DEMOUSD-1m.parquet")
    path.write_bytes(parquet_from_candles(demo_candles(210)))
    return path


def commands() -> list[list[str]]:
    return [["model", name] for name in main.commands["model"].commands] + [[name] for name in main.commands]  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_has_help_with_an_example(command: list[str]) -> None:
    shown = CliRunner().invoke(main, [*command, "--help"])
    assert shown.exit_code == 0
    if command != ["model"]:
        _, example = shown.output.split("Example: ")
        assert re.search(rf"\bcoinfarm (--stack \S+ )?{' '.join(command)}\b", " ".join(example.split()))


def test_predict_prints_a_table(run: Run, candles: Path) -> None:
    shown = run("predict", candles)
    assert shown.exit_code == 0
    assert "on fake" in shown.stdout
    assert shown.stdout.count("+1.500") == 33


def test_predict_works_on_no_more_windows_than_its_table_shows(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("DEMOUSD-1m.parquet").write_bytes(parquet_from_candles(demo_candles(300)))
    asked: list[int] = []
    predict = FakeEngine.predict
    monkeypatch.setattr(FakeEngine, "predict", lambda self, frames: (asked.append(len(frames)), predict(self, frames))[1])
    shown = run("predict", "DEMOUSD-1m.parquet")
    assert asked[-1] == 20
    assert "81 earlier rows are not shown: --csv and --json give all 101." in " ".join(shown.stdout.split())
    assert run("predict", "DEMOUSD-1m.parquet", "--csv").stdout.count("\n") == 102


def test_predict_draws_the_last_window_with_its_prediction(run: Run, candles: Path) -> None:
    assert run("predict", candles, "--chart", "chart.png").exit_code == 0
    with Image.open("chart.png") as chart, Image.open(io.BytesIO(chart_png(Series(demo_candles(210)[-200:])))) as bare:
        assert chart.width == bare.width + 30 * 4


def test_predict_json_is_the_answer_of_the_api(run: Run, candles: Path) -> None:
    document = json.loads(run("predict", candles, "--json").stdout)
    assert document["model"]["engine"] == "fake"
    assert len(document["results"]) == 11
    assert document["results"][0]["predictions"] == {"maxRisePct": 1.5, "maxDeclinePct": 1.5, "endChangePct": 1.5}


def test_predict_streams_rows_in_parts_that_are_the_same_together(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("DEMOUSD-1m.parquet").write_bytes(parquet_from_candles(demo_candles(300)))
    whole = [run("predict", "DEMOUSD-1m.parquet", output, "--stride", 3).stdout for output in ("--csv", "--json")]
    monkeypatch.setattr("coinfarm.cli.options._WINDOWS_AT_ONCE", 7)
    assert [run("predict", "DEMOUSD-1m.parquet", output, "--stride", 3).stdout for output in ("--csv", "--json")] == whole
    assert len(json.loads(whole[1])["results"]) == 34


def test_rows_come_before_all_are_predicted_and_a_closed_pipe_ends_it_quietly(tmp_path: Path) -> None:
    path = tmp_path / "DEMOUSD-1m.parquet"
    path.write_bytes(parquet_from_candles(generate("DEMOUSD", "1m", 1_767_225_600_000, 60_000, seed=1)))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MODEL_CACHE_DIR": str(tmp_path / "cache")}
    words = [sys.executable, "-c", "from coinfarm.cli import main; main(prog_name='coinfarm')", "predict", str(path), "--csv"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("open_time,")
        assert process.stdout.readline().startswith("17")
        assert process.poll() is None, "others are still being predicted"
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (141, "")


def test_predict_csv_has_a_line_per_window_of_the_stride(run: Run, candles: Path) -> None:
    assert len(run("predict", candles, "--csv", "--stride", 5).stdout.splitlines()) == 1 + 3


def test_predict_serves_the_model_that_it_is_told(run: Run, candles: Path, tmp_path: Path) -> None:
    promote_model(open_storage(str(tmp_path / "others")), tmp_path / "other bundle", "2.5")
    document = json.loads(run("predict", candles, "--json", "--model", tmp_path / "others").stdout)
    assert document["results"][0]["predictions"]["maxRisePct"] == 2.5


def test_candles_whose_file_does_not_tell_their_symbol_are_predicted_when_one_says_it(run: Run) -> None:
    Path("candles.json").write_text(json.dumps(rows_from_candles(demo_candles(200))))
    refused = run("predict", "candles.json")
    assert refused.exit_code == 1
    assert "Error: candles.json: the name does not tell symbol and interval" in refused.stderr
    assert run("predict", "candles.json", "--symbol", "DEMOUSD", "--interval", "1m").exit_code == 0


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        pytest.param("{", "is not JSON", id="no JSON"),
        pytest.param("[]", "there is no candle", id="empty"),
        pytest.param(json.dumps(rows_from_candles(demo_candles(199))), "199 candles are too few", id="too few"),
        pytest.param(json.dumps([[0, 1, 1, 1, 1, "nan"]]), "/candles/0/", id="what cannot be"),
    ],
)
def test_bad_candles_are_one_line_and_no_traceback(run: Run, rows: str, said: str) -> None:
    Path("DEMOUSD-1m.json").write_text(rows)
    shown = run("predict", "DEMOUSD-1m.json")
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert shown.stderr.startswith("Error: ")
    assert said in shown.stderr
    assert "Traceback" not in shown.stderr


def test_holes_are_refused_when_one_says_so(run: Run) -> None:
    rows = rows_from_candles(demo_candles(210))
    Path("DEMOUSD-1m.json").write_text(json.dumps(rows[:50] + rows[52:]))
    assert run("predict", "DEMOUSD-1m.json").exit_code == 0
    refused = run("predict", "DEMOUSD-1m.json", "--gaps", "reject")
    assert refused.exit_code == 1
    assert "/candles/50/openTime: 2 candles are missing before it" in refused.stderr


@pytest.mark.parametrize(("frames", "wider"), [(1, False), (3, True)], ids=["a chart", "a sheet"])
def test_render_writes_the_picture(run: Run, candles: Path, frames: int, wider: bool) -> None:
    shown = run("render", candles, "-o", "chart.png", "--frames", frames)
    assert shown.stdout == "chart.png\n"
    with Image.open("chart.png") as picture:
        assert (picture.width > 1000) == wider


def test_invoke_prints_the_answer_alone_and_writes_the_results(run: Run) -> None:
    record = {"messageId": "1", "eventSource": "aws:sqs", "body": json.dumps({**demo_request(), "resultsUri": "a/b.json"})}
    Path("event.json").write_text(json.dumps({"Records": [record]}))
    shown = run("invoke", "event.json")
    assert json.loads(shown.stdout) == {"batchItemFailures": []}
    assert shown.exit_code == 0
    assert json.loads(Path("results/a/b.json").read_text())["messageId"] == "1"


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(demo_request(count=100), id="a problem document"),
        pytest.param({"Records": [{"messageId": "1", "eventSource": "aws:sqs", "body": "{}"}]}, id="a record that failed"),
    ],
)
def test_invoke_exits_with_1_where_something_was_refused(run: Run, event: dict[str, Any]) -> None:
    Path("event.json").write_text(json.dumps(event))
    assert run("invoke", "event.json").exit_code == 1


def test_a_wrong_setting_is_named(run: Run, candles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_BATCH", "many")
    shown = run("predict", candles)
    assert shown.exit_code == 1
    assert "MAX_BATCH='many'" in shown.stderr


def test_a_model_that_is_not_there_is_named(run: Run, candles: Path) -> None:
    shown = run("predict", candles, "--model", "nowhere")
    assert shown.exit_code == 1
    assert "nowhere does not exist" in shown.stderr


def test_a_folder_without_versions_is_no_model(run: Run, candles: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    shown = run("predict", candles, "--model", tmp_path / "empty")
    assert shown.exit_code == 1
    assert "coinfarm model publish SOURCE --to" in shown.stderr


def test_train_does_not_write_over_a_folder_that_holds_something(run: Run, tmp_path: Path) -> None:
    seal(tmp_path / "taken")
    periods = (
        f"{name} = {{ start = 2020-0{month}-01, stop = 2020-0{month + 1}-01 }}"
        for month, name in enumerate(("train", "validation", "test"), 1)
    )
    Path("config.toml").write_text("\n".join(['name = "mine"', 'candles = ["BTCUSD-1m.parquet"]', *periods]))
    shown = run("train", "config.toml", "-o", tmp_path / "taken")
    assert shown.exit_code == 1
    assert "is not empty" in shown.stderr


@pytest.fixture(autouse=True)
def environment() -> Any:
    """The command sets variables for the handler that it starts."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def fresh_container() -> Any:
    """The handler keeps its service for as long as the process lives."""
    from handler import app

    app.service.cache_clear()
    yield
    app.service.cache_clear()
