"""`coinfarm predict` and `render`, with a model that predicts a constant."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from coinfarm.candles.json_rows import rows_from_candles
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candles.synthetic import generate
from coinfarm.prediction.series import Series
from coinfarm.serving.chart import chart_png
from coinfarm.storage import open_storage
from tests.support.cli_runner import coinfarm
from tests.support.demo_requests import START_MS, demo_candles
from tests.support.fake_models import TRAINING, FakeEngine, promote_model
from tests.support.repository import ROOT

pytestmark = pytest.mark.usefixtures("constant_model")


@pytest.fixture
def candles(tmp_path):
    """A file of 210 synthetic candles, which are 11 windows."""
    return write_candles(tmp_path, 210)


def write_candles(folder, count):
    path = folder / "DEMOUSD-1m.parquet"
    path.write_bytes(parquet_from_candles(demo_candles(count)))
    return path


def test_predict_runs_the_model_only_on_the_windows_of_the_table(tmp_path, monkeypatch):
    batches = []
    predict = FakeEngine.predict
    monkeypatch.setattr(FakeEngine, "predict", lambda self, frames: (batches.append(len(frames)), predict(self, frames))[1])
    candles = write_candles(tmp_path, 300)
    shown = coinfarm("predict", candles)
    assert batches[-1] == 20
    assert shown.stdout.count("+1.500") == 3 * 20
    assert coinfarm("predict", candles, "--csv").stdout.count("\n") == 102


def test_predict_draws_the_last_window_with_its_prediction(candles):
    assert coinfarm("predict", candles, "--chart", "chart.png").exit_code == 0
    with Image.open("chart.png") as chart, Image.open(io.BytesIO(chart_png(Series(demo_candles(210)[-200:])))) as window:
        assert chart.width == window.width + 30 * 4


def test_predict_json_is_the_response_of_the_api(candles, tmp_path):
    document = json.loads(coinfarm("predict", candles, "--json").stdout)
    assert document["model"]["engine"] == "fake"
    assert len(document["results"]) == 11
    assert document["results"][0]["predictions"] == {"maxRisePct": 1.5, "maxDeclinePct": 1.5, "endChangePct": 1.5}
    promote_model(open_storage(str(tmp_path / "others")), tmp_path / "other bundle", "2.5")
    document = json.loads(coinfarm("predict", candles, "--json", "--model", tmp_path / "others").stdout)
    assert document["results"][0]["predictions"]["maxRisePct"] == 2.5


def test_predict_prints_the_same_rows_in_parts(tmp_path, monkeypatch):
    candles = write_candles(tmp_path, 300)
    expected = [coinfarm("predict", candles, output, "--stride", 3).stdout for output in ("--csv", "--json")]
    monkeypatch.setattr("coinfarm.cli.options._WINDOWS_PER_PART", 7)
    assert [coinfarm("predict", candles, output, "--stride", 3).stdout for output in ("--csv", "--json")] == expected
    assert len(json.loads(expected[1])["results"]) == 34


def test_predict_streams_rows_and_ends_silently_when_the_pipe_is_closed(tmp_path):
    path = tmp_path / "DEMOUSD-1m.parquet"
    path.write_bytes(parquet_from_candles(generate("DEMOUSD", "1m", START_MS, 20_000, seed=1)))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MODEL_CACHE_DIR": str(tmp_path / "cache")}
    del environment["MODEL_URI"]
    command = [sys.executable, "-c", "from coinfarm.cli import main; main(prog_name='coinfarm')", "predict", str(path), "--csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout.readline().startswith("open_time,")
        assert process.stdout.readline().startswith("17")
        assert process.poll() is None, "it is still predicting"
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors.count("\n")) == (141, 1)  # the line that names the candles


def test_symbol_and_interval_options_replace_a_missing_name():
    Path("candles.json").write_text(json.dumps(rows_from_candles(demo_candles(200))))
    rejected = coinfarm("predict", "candles.json")
    assert (rejected.exit_code, "--symbol" in rejected.stderr) == (1, True)
    assert coinfarm("predict", "candles.json", "--symbol", "DEMOUSD", "--interval", "1m").exit_code == 0


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        pytest.param("[]", "DEMOUSD-1m.json", id="no candles"),
        pytest.param(json.dumps(rows_from_candles(demo_candles(199))), "DEMOUSD-1m.json: 199", id="too few"),
        pytest.param(json.dumps([[0, 1, 1, 1, 1, "nan"]]), "candle 0", id="invalid candle"),
    ],
)
def test_invalid_candles_are_reported_in_one_line(rows, named):
    Path("DEMOUSD-1m.json").write_text(rows)
    shown = coinfarm("predict", "DEMOUSD-1m.json")
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert named in shown.stderr.splitlines()[0]


def test_gaps_reject_rejects_missing_candles():
    rows = rows_from_candles(demo_candles(210))
    Path("DEMOUSD-1m.json").write_text(json.dumps(rows[:50] + rows[52:]))
    assert coinfarm("predict", "DEMOUSD-1m.json").exit_code == 0
    rejected = coinfarm("predict", "DEMOUSD-1m.json", "--gaps", "reject")
    assert rejected.exit_code == 1
    assert "/candles/50/openTime: 2 " in rejected.stderr


@pytest.mark.parametrize(("frames", "is_wide"), [(1, False), (3, True)], ids=["one window", "sheet"])
def test_render_writes_an_image(candles, frames, is_wide):
    shown = coinfarm("render", candles, "-o", "chart.png", "--frames", frames)
    assert shown.stdout == "chart.png\n"
    with Image.open("chart.png") as image:
        assert (image.width > 1000) == is_wide


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        pytest.param("MAX_BATCH", "many", "MAX_BATCH='many'", id="invalid setting"),
        pytest.param("MODEL_URI", "nowhere", "nowhere", id="missing model"),
        pytest.param("MODEL_URI", ".", "coinfarm model publish", id="folder without versions"),
    ],
)
def test_invalid_setting_is_named(candles, monkeypatch, name, value, named):
    monkeypatch.setenv(name, value)
    shown = coinfarm("predict", candles)
    assert (shown.exit_code, named in shown.stderr) == (1, True)


def test_candles_of_another_interval_than_the_models_must_be_asked_for(tmp_path, monkeypatch):
    promote_model(open_storage(str(tmp_path / "trained")), tmp_path / "other", "1.5", training=TRAINING)
    monkeypatch.setenv("MODEL_URI", str(tmp_path / "trained"))
    path = tmp_path / "DEMOUSD-1h.parquet"
    path.write_bytes(parquet_from_candles(generate("DEMOUSD", "1h", START_MS, 201, seed=1)))
    rejected = coinfarm("predict", path)
    assert (rejected.exit_code, "1h" in rejected.stderr, "1m" in rejected.stderr) == (1, True, True)
    allowed = coinfarm("predict", path, "--any-interval", "--csv")
    assert (allowed.exit_code, allowed.stdout.count("\n")) == (0, 3)
    assert "1h" in allowed.stderr
