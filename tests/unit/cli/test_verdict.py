"""`coinfarm verdict`, as a person runs it: real processes, and a small compiled model that always sees a rise."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from coinfarm.backfill.local_run import RunProgress
from coinfarm.backfill.shard import Shard
from coinfarm.candles.day import day_start_ms
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.cli import main
from coinfarm.compilation.forms import F32
from coinfarm.engines.openvino_import import import_openvino
from coinfarm.models.promotion import promote
from coinfarm.models.publish import publish
from coinfarm.models.training_data import TrainingData
from coinfarm.storage import open_storage
from coinfarm.verdict import SYNTHETIC_NOTE
from tests.support.candle_stores import synthetic_history
from tests.support.compiled_models import channel_means_graph, compiled_bundle

Command = Callable[..., Result]

COINS = ("DEMOBTC", "DEMOETH")
DAYS, CUT_OFF = 36, date(2026, 1, 11)
WINDOWS = 2 * 26 * 96
"""Of two coins, from the cut-off on, at each quarter of an hour."""
IN_SAMPLE = 2 * 199
"""Those that end after the cut-off, and begin before it."""


def rising_graph() -> Any:
    """Foretells the channels' means as rise and end change, and a decline that is ever the same."""
    openvino = import_openvino()
    from openvino import opset13 as operations

    means = channel_means_graph()
    planes, shown = means.get_parameters()[0], means.get_results()[0].input_value(0)
    signed = operations.multiply(shown, np.array([[10, 0, 10]], np.float32))
    return openvino.Model([operations.add(signed, np.array([[0, -1, 0]], np.float32))], [planes])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model, and with files of candles that it has learnt from in part."""
    home = tmp_path_factory.mktemp("verdict")
    training = TrainingData(
        symbols=COINS,
        interval="15m",
        from_date=date(2026, 1, 1),
        to_date=CUT_OFF,
        cutoff_ms=dict.fromkeys(COINS, day_start_ms(CUT_OFF)),
        frames=1,
        splits={},
    )
    models = open_storage(str(home / "models"))
    promote(models, publish(models, compiled_bundle(home / "bundle", F32, graph=rising_graph(), training=training)))
    for symbol in COINS:
        candles = synthetic_history(DAYS, symbol=symbol, interval="15m")
        (home / f"{symbol}-15m.parquet").write_bytes(parquet_from_candles(candles))
    return home


@pytest.fixture(scope="module")
def command(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Runs `coinfarm verdict` with that model, which is asked to be found by its environment."""
    settings = {"MODEL_URI": str(home / "models"), "MODEL_CACHE_DIR": str(tmp_path_factory.mktemp("cache"))}

    def run(*arguments: object) -> Result:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("coinfarm.backfill.plan._TIMED_S", 0.01)
            return CliRunner(env=settings).invoke(main, ["verdict", *map(str, arguments)])

    return run


@pytest.fixture(scope="module")
def files(home: Path) -> list[Path]:
    return [home / f"{symbol}-15m.parquet" for symbol in COINS]


@pytest.fixture(scope="module")
def first(command: Command, files: list[Path], home: Path) -> Result:
    return command(*files, "-o", home / "out")


def test_the_verdict_on_files_is_the_first_line_and_the_report_the_last(first: Result, home: Path) -> None:
    assert first.exit_code == 0, first.output
    lines = first.stdout.splitlines()
    assert lines[0].startswith(("Makes money: it", "Does not make money: it", "Cannot be told from this much data: it"))
    assert str(home / "out/verdict.html") in lines[-2]
    assert lines[0].split(":")[0] in (home / "out/verdict.html").read_text()
    assert SYNTHETIC_NOTE not in first.stdout


def test_each_step_is_told_on_stderr(first: Result) -> None:
    for said in (
        "History: ",
        "DEMOBTC, DEMOETH 15m in ",
        f"Backfill: {WINDOWS:,} windows from {CUT_OFF}",
        "52 of 52 shards done",
        "Backtest: ",
    ):
        assert said in first.stderr


def test_what_the_model_learnt_from_costs_no_time(first: Result) -> None:
    assert f"From {CUT_OFF} on" in first.stderr
    assert f"{WINDOWS:,} frames" in first.stderr
    assert f"{WINDOWS:,} predictions; {IN_SAMPLE:,} left out: in sample" in first.stdout


def test_a_second_call_predicts_nothing_and_says_the_same(first: Result, command: Command, files: list[Path], home: Path) -> None:
    again = command(*files, "-o", home / "out")
    assert again.exit_code == 0, again.output
    assert "52 of 52 shards done; 0 frames" in again.stderr
    assert again.stdout == first.stdout


def test_the_candles_that_are_made_up_without_files_tell_of_no_market(command: Command, tmp_path: Path) -> None:
    shown = command("--from", "2026-02-01", "--to", "2026-02-02", "-o", tmp_path / "out", "--json")
    assert shown.exit_code == 0, shown.output
    found = json.loads(shown.stdout)
    assert found["synthetic"] is True
    assert found["verdict"]["reasons"][0] == SYNTHETIC_NOTE
    assert found["symbols"] == ["DEMOBTC", "DEMOETH", "DEMOLTC"]
    assert found["windows"]["asked"] == 3 * 1440 == found["windows"]["predicted"] + found["windows"]["tooFewBefore"]
    assert found["model"] is not None
    assert "synthetic candles" in shown.stderr
    assert SYNTHETIC_NOTE in Path(found["report"]).read_text()
    assert Path(found["predictions_file"]).is_file()


@pytest.mark.parametrize(
    ("tally", "code", "said"),
    [
        pytest.param(RunProgress(1, stopped=True), 130, "the same command", id="stopped by Ctrl-C"),
        pytest.param(
            RunProgress(1, failed={Shard("DEMOBTC", "15m", CUT_OFF): "is damaged"}), 1, "there is no verdict on a part", id="a shard failed"
        ),
    ],
)
def test_an_unfinished_backfill_is_no_verdict(
    command: Command, files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tally: RunProgress, code: int, said: str
) -> None:
    monkeypatch.setattr("coinfarm.backfill.local_run.run_locally", lambda *_: tally)
    shown = command(files[0], "-o", tmp_path / "out")
    assert (shown.exit_code, shown.stdout) == (code, "")
    assert said in shown.stderr


def test_a_file_whose_name_tells_nothing_is_to_be_renamed(command: Command, files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "prices.parquet").write_bytes(files[0].read_bytes())
    shown = command(tmp_path / "prices.parquet", "-o", tmp_path / "out")
    assert shown.exit_code == 1
    assert "rename it like BTCUSD-1m.parquet" in shown.stderr
    assert "--symbol" not in shown.stderr
