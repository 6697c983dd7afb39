"""`coinfarm verdict` with real processes, and a small compiled model that always predicts a rise."""

import json
import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from coinfarm.backfill.local_run import RunProgress
from coinfarm.backfill.shard import Shard
from coinfarm.backtesting.inference.verdict import Conclusion
from coinfarm.candles.day import day_start_ms
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.cli import main
from coinfarm.compilation.forms import F32
from coinfarm.engines.openvino_import import import_openvino
from coinfarm.models.promotion import promote
from coinfarm.models.publish import publish
from coinfarm.models.training_data import TrainingData
from coinfarm.pipeline.pipeline import SYNTHETIC_NOTE
from coinfarm.storage import open_storage
from tests.support.candle_stores import synthetic_history
from tests.support.compiled_models import channel_means_graph, compiled_bundle

COINS = ("DEMOBTC", "DEMOETH")
DAYS, CUTOFF = 24, date(2026, 1, 11)
WINDOWS = 2 * 14 * 96
"""Of two coins, from the cutoff on, one every quarter of an hour."""
IN_SAMPLE = 2 * 199
"""Windows that end after the cutoff and begin before it."""


def rising_graph():
    """Predicts the channels' means as rise and end change, and a constant decline."""
    openvino = import_openvino()
    from openvino import opset13 as operations

    means = channel_means_graph()
    planes, outputs = means.get_parameters()[0], means.get_results()[0].input_value(0)
    signed = operations.multiply(outputs, np.array([[10, 0, 10]], np.float32))
    return openvino.Model([operations.add(signed, np.array([[0, -1, 0]], np.float32))], [planes])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a model, and with candle files, part of which it was trained on."""
    home = tmp_path_factory.mktemp("verdict")
    dates = {"from_date": date(2026, 1, 1), "to_date": CUTOFF, "cutoff_ms": dict.fromkeys(COINS, day_start_ms(CUTOFF))}
    training = TrainingData(symbols=COINS, interval="15m", frames=1, splits={}, **dates)
    models = open_storage(str(home / "models"))
    promote(models, publish(models, compiled_bundle(home / "bundle", F32, graph=rising_graph(), training=training)))
    for symbol in COINS:
        candles = synthetic_history(DAYS, symbol=symbol, interval="15m")
        (home / f"{symbol}-15m.parquet").write_bytes(parquet_from_candles(candles))
    return home


@pytest.fixture(scope="module")
def command(home, tmp_path_factory):
    """Runs `coinfarm verdict` with that model as `MODEL_URI`."""
    settings = {"MODEL_URI": str(home / "models"), "MODEL_CACHE_DIR": str(tmp_path_factory.mktemp("cache"))}

    def run(*arguments):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("coinfarm.backfill.plan._TIMED_S", 0.01)
            return CliRunner(env=settings).invoke(main, ["verdict", *map(str, arguments)])

    return run


@pytest.fixture(scope="module")
def files(home):
    return [home / f"{symbol}-15m.parquet" for symbol in COINS]


@pytest.fixture(scope="module")
def first(command, files, home):
    return command(*files, "-o", home / "out")


def test_prints_the_verdict_first_and_the_report_last(first, home):
    assert first.exit_code == 0, first.output
    lines = first.stdout.splitlines()
    assert lines[0].startswith(tuple(each.capitalize() for each in Conclusion))
    assert str(home / "out/verdict.html") in lines[-2]
    assert lines[0].split(":")[0] in (home / "out/verdict.html").read_text()
    assert SYNTHETIC_NOTE not in first.stdout


def test_excludes_the_training_data(first):
    assert f"{WINDOWS:,} predictions of DEMOBTC, DEMOETH 15m; {IN_SAMPLE:,} left out: in sample" in first.stdout
    assert re.search(rf"(\d+) of \1 shards done; {WINDOWS:,} windows predicted", first.stderr)


def test_a_second_call_predicts_nothing_and_prints_the_same(first, command, files, home):
    repeated = command(*files, "-o", home / "out")
    assert repeated.exit_code == 0, repeated.output
    assert re.search(r"(\d+) of \1 shards done; 0 windows predicted", repeated.stderr)
    assert repeated.stdout == first.stdout


def test_without_files_candles_are_synthetic_and_the_verdict_says_so(command, tmp_path):
    result = command("--from", "2026-02-01", "--to", "2026-02-02", "-o", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["synthetic"] is True
    assert found["verdict"]["reasons"][0] == SYNTHETIC_NOTE
    assert found["symbols"] == ["DEMOBTC", "DEMOETH", "DEMOLTC"]
    assert found["windows"]["asked"] == 3 * 1440 == found["windows"]["predicted"] + found["windows"]["tooFewBefore"]
    assert found["model"] is not None
    assert SYNTHETIC_NOTE in Path(found["report"]).read_text()
    assert Path(found["predictions_file"]).is_file()


@pytest.fixture(scope="module")
def of_two_intervals(command, files, home):
    return command(*files, "--interval", "15m,60m", "--any-interval", "-o", home / "map", "--json")


def test_several_intervals_are_one_map_with_a_page_each(of_two_intervals, home):
    assert of_two_intervals.exit_code == 0, of_two_intervals.output
    found = json.loads(of_two_intervals.stdout)
    assert [each["interval"] for each in found["intervals"]] == ["15m", "1h"]
    assert found["tried"]["strategies"] == 2
    report = Path(found["report"])
    assert report == home / "map/verdict.html"
    assert found["headline"] in report.read_text()
    for each in found["intervals"]:
        own = Path(each["report"])
        assert f'href="{own.name}"' in report.read_text()
        assert each["backtest"]["verdict"]["headline"].split(":")[0] in own.read_text()
        assert Path(each["predictions_file"]).is_file()
    assert Path(found["picture"]).read_text().startswith("<svg")


def test_prints_the_map_with_the_answers_first(command, files, home, of_two_intervals):
    result = command(*files, "--interval", "15m", "--interval", "1h", "--any-interval", "-o", home / "map")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0] == json.loads(of_two_intervals.stdout)["headline"]
    assert "0 windows predicted" in result.stderr, "the first call predicted them"
    for interval in ("15m", "1h"):
        assert len(re.findall(rf"^\W*{interval}\s", result.stdout, re.MULTILINE)) == 3, "in each table"


def test_one_longer_interval_is_a_backtest_of_its_own(command, files, home):
    result = command(*files, "--interval", "1h", "--any-interval", "-o", home / "longer")
    assert result.exit_code == 0, result.output
    assert "DEMOBTC, DEMOETH 1h" in result.stdout
    assert result.stdout.startswith(tuple(each.capitalize() for each in Conclusion))


def test_each_interval_must_be_the_models_or_allowed(command, files, tmp_path):
    result = command(*files, "--interval", "15m,1h", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "--any-interval" in result.stderr


def test_an_edge_is_planted_into_synthetic_candles_alone(command, files, tmp_path):
    assert command(files[0], "--edge", "50", "-o", tmp_path / "out").exit_code == 2
    result = command("--interval", "1h", "--edge", "50", "--from", "2026-02-01", "--to", "2026-03-28", "-o", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["synthetic"], found["planted_edge_bps"]) == (True, 50.0)
    assert not [warning for warning in found["warnings"] if "future" in warning], "what follows the predictions looks like a leak"
    assert found["windows"]["asked"] == 3 * 55 * 24 // 30, "the windows that the market follows"
    assert any("50 bps" in reason for reason in found["verdict"]["reasons"][:2])


@pytest.mark.parametrize(
    ("progress", "exit_code"),
    [(RunProgress(1, stopped=True), 130), (RunProgress(1, failed={Shard("DEMOBTC", "15m", CUTOFF): "is damaged"}), 1)],
    ids=["stopped by Ctrl-C", "a shard failed"],
)
def test_prints_no_verdict_on_an_unfinished_backfill(command, files, tmp_path, monkeypatch, progress, exit_code):
    monkeypatch.setattr("coinfarm.backfill.local_run.run_locally", lambda *_: progress)
    result = command(files[0], "-o", tmp_path / "out")
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert "same command" in result.stderr


def test_a_file_must_be_named_by_symbol_and_interval(command, files, tmp_path):
    (tmp_path / "prices.parquet").write_bytes(files[0].read_bytes())
    result = command(tmp_path / "prices.parquet", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "BTCUSD-1m.parquet" in result.stderr
    assert "--symbol" not in result.stderr, "the command has no such option"
