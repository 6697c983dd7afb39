"""Models of 12 candles, and of 10, 30 and 100, from the training config to the backtest, through every entrance."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import Result

import coinfarm
from coinfarm.backtesting.strategy import Entry, Exit, Size, Strategy
from coinfarm.candles.candles import Candles
from coinfarm.candles.json_rows import rows_from_candles
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.models.bundle import Bundle
from coinfarm.outputs import OUTPUT_NAMES, output_columns, output_names
from handler.app import lambda_handler, service
from handler.local_events import LocalContext
from tests.support.candle_stores import stored, synthetic_history
from tests.support.cli_runner import coinfarm as run_coinfarm
from tests.support.moto_server import moto_server, queue_with_dead_letter_queue
from tests.support.repository import ROOT

pytestmark = [pytest.mark.tensorflow, pytest.mark.enable_socket]

DAYS, TRAIN_DAYS, PER_DAY = 52, 20, 96
BACKFILL = ["--symbol", "DEMOUSD", "--interval", "15m", "--from", "2026-02-10", "--to", "2026-02-20"]
CONFIG = """
name = "tiny"
candles = ["DEMOUSD-15m.parquet"]
train = {{ start = 2026-01-01, stop = 2026-01-21 }}
validation = {{ start = 2026-01-21, stop = 2026-01-31 }}
test = {{ start = 2026-01-31, stop = 2026-02-10 }}
horizon_candles = {}
calibrate = false # so that no output is constant
batch_size = 8
steps_per_epoch = 10
epochs = 1
network = {{ dense_units = 8, blocks = [{{ filters = 4, strides = [4, 5] }}, {{ filters = 4, strides = [5, 5] }}] }}
"""
TRADE_ALL = Entry(min_end_change_pct=0.0, min_rise_to_decline=0.0, allow_short=True)


@dataclass(frozen=True)
class Project:
    """A folder with candles, a bundle in `bundle`, and a model root in `models`, whose model in service has these horizons."""

    folder: Path
    horizons: tuple[int, ...]
    bundle: Bundle
    candles: Candles

    @property
    def file(self) -> Path:
        return self.folder / "DEMOUSD-15m.parquet"

    @property
    def models(self) -> Path:
        return self.folder / "models"

    @property
    def request(self) -> dict[str, Any]:
        return {"symbol": "DEMOUSD", "interval": "15m", "candles": rows_from_candles(self.candles[-202:])}


@pytest.fixture(scope="module", params=[(12,), (10, 30, 100)], ids=["one", "several"])
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder, horizons = tmp_path_factory.mktemp("project"), request.param
    candles = synthetic_history(DAYS, interval="15m")
    stored(folder / "store", candles)
    (folder / "DEMOUSD-15m.parquet").write_bytes(parquet_from_candles(candles))
    (folder / "tiny.toml").write_text(CONFIG.format(list(horizons) if len(horizons) > 1 else horizons[0]))
    ran("train", folder / "tiny.toml", "-o", folder / "bundle")
    ran("model", "publish", folder / "bundle", "--to", folder / "models", "--no-compile", "--promote")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODEL_URI", str(folder / "models"))
        patch.setenv("MODEL_CACHE_DIR", str(folder / "cache"))
        patch.setenv("PREDICTION_CACHE_FRAMES", "0")
        service.cache_clear()
        yield Project(folder, horizons, Bundle.open(folder / "bundle"), candles)
    service.cache_clear()


@pytest.fixture(scope="module")
def predictions(project: Project) -> Path:
    """The predictions of ten days, made by a worker and collected into one file."""
    run, folder = project.folder / "run", project.folder
    ran("backfill", "plan", *BACKFILL, "--store", folder / "store", "--run", run, "--frames-per-s", 2000)
    with moto_server("AWS_ENDPOINT_URL"):
        queue = queue_with_dead_letter_queue(max_receives=2)
        ran("backfill", "submit", "--run", run, "--queue", queue.url)
        roots = ["--candles-root", folder / "store", "--results-root", run]
        with process("worker", "--queue", queue.url, "--idle-exit", 1, *roots) as worker:
            _, log = worker.communicate(timeout=300)
    assert worker.returncode == 0, log
    ran("backfill", "collect", "--run", run, "-o", folder / "predictions.parquet")
    return folder / "predictions.parquet"


def ran(*arguments: object) -> Result:
    result = run_coinfarm(*arguments)
    assert result.exit_code == 0, result.output
    return result


@contextmanager
def process(*arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """`coinfarm ARGUMENTS` in a process of its own."""
    command = [sys.executable, "-c", "from coinfarm.cli import main; main(prog_name='coinfarm')", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "RECEIVE_WAIT_S": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


def values_of(result: dict[str, Any], horizons: tuple[int, ...]) -> list[float]:
    """All numbers of a result in the API's format, in the order of `output_names`."""
    if len(horizons) == 1:
        assert "horizons" not in result
        return list(result["predictions"].values())
    assert list(result["horizons"]) == [str(horizon) for horizon in horizons]
    assert result["predictions"] == result["horizons"][str(horizons[0])]
    return [by_name[name] for by_name in result["horizons"].values() for name in OUTPUT_NAMES]


def test_the_manifest_names_the_horizons(project: Project) -> None:
    manifest = project.bundle.manifest
    assert (manifest.horizon_candles, manifest.horizons) == (project.horizons[0], project.horizons)
    assert [output.name for output in manifest.outputs] == list(output_names(project.horizons[1:]))
    document = json.loads((project.folder / "bundle/manifest.json").read_text())
    assert list(document["metrics"]["test"]["model"]) == list(manifest.output_names)
    assert manifest.training is not None
    assert manifest.training.splits["train"].frames == TRAIN_DAYS * PER_DAY - 200 - max(project.horizons) + 1


def test_the_handler_the_server_and_the_command_predict_the_same(project: Project) -> None:
    direct = lambda_handler(project.request, LocalContext())
    expected = np.array([values_of(result, project.horizons) for result in direct["results"]])
    assert expected.shape == (3, 3 * len(project.horizons))
    assert len(np.unique(expected.round(6))) == expected.size, "no output is a copy of another"
    shown = json.loads(ran("predict", project.file, "--json").stdout)
    printed = [values_of(result, project.horizons) for result in shown["results"][-3:]]
    np.testing.assert_allclose(printed, expected, rtol=1e-4, atol=1e-6)
    header, *rows = csv.reader(ran("predict", project.file, "--csv").stdout.splitlines())
    assert tuple(header[4:]) == output_columns(project.horizons[1:])
    np.testing.assert_allclose(np.array(rows[-3:])[:, 4:].astype(float), expected, rtol=1e-4, atol=1e-6)
    with process("serve", "--port", 0) as server:
        assert server.stderr is not None
        found = None
        while found is None:
            line = server.stderr.readline()
            assert line
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{found[0]}/predictions", json.dumps(project.request).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as response:
            served = [values_of(result, project.horizons) for result in json.load(response)["results"]]
        np.testing.assert_allclose(served, expected, rtol=1e-4, atol=1e-6)
        server.send_signal(signal.SIGINT)


def test_a_worker_fills_the_columns_of_every_horizon(project: Project, predictions: Path) -> None:
    table = pq.read_table(predictions)
    columns = output_columns(project.horizons[1:])
    assert tuple(table.column_names[-len(columns) :]) == columns
    assert len(table) == 10 * PER_DAY
    direct = pq.read_table(predictions).to_pandas().set_index("close_time")
    rows = csv.DictReader(ran("predict", project.file, "--csv", "--stride", 50).stdout.splitlines())
    compared = [row for row in rows if int(row["close_time"]) in direct.index]
    assert len(compared) > 10
    for row in compared:
        found = direct.loc[int(row["close_time"])]
        np.testing.assert_allclose([found[name] for name in columns], [float(row[name]) for name in columns], rtol=1e-4, atol=1e-6)


def test_each_horizon_is_backtested_with_its_holding_period(project: Project, predictions: Path) -> None:
    (project.folder / "all.toml").write_text("[entry]\nmin_end_change_pct = 0\nmin_rise_to_decline = 0\nallow_short = true\n")
    roots = ["--predictions", predictions, "--candles", project.folder / "store", "--strategy", project.folder / "all.toml"]
    entries = []
    for horizon in project.horizons:
        exits = Exit(take_profit_share=0.0, stop_share=0.0, horizon_candles=horizon)
        strategy = Strategy(entry=TRADE_ALL, exit=exits, size=Size(capital=100.0))  # no order is too large for one candle
        result = coinfarm.backtest(predictions, project.file, strategy=strategy)
        assert result.model_horizon == horizon
        assert set((result.trades.exit_ms - result.trades.entry_ms) // project.candles.interval_ms) == {horizon}
        entries.append(result.coins[0].predicted_pct)
        options = [] if horizon == project.horizons[0] else ["--horizon", horizon]
        shown = ran("backtest", *roots, *options, "--json")
        document = json.loads(shown.stdout)
        assert document["model_horizon_candles"] == horizon
    assert document["tried"]["strategies"] == 2 * len(project.horizons), "the best of several horizons is the best of several tries"
    assert len({values.tobytes() for values in entries}) == len(project.horizons), "each horizon has predictions of its own"
    rejected = run_coinfarm("backtest", *roots, "--horizon", 11)
    assert rejected.exit_code == 1
    assert all(str(horizon) in rejected.stderr for horizon in project.horizons)


def test_a_rule_and_the_predictions_are_checked_at_every_horizon(project: Project, predictions: Path) -> None:
    (project.folder / "rules.py").write_text("def enter(columns):\n    return (columns['end_change_pct'] > 0).astype(int)\n")
    (project.folder / "rule.toml").write_text('[entry]\nrule = "rules:enter"\n')
    for horizon in project.horizons:
        roots = ["--predictions", predictions, "--candles", project.folder / "store", "--horizon", horizon]
        shown = ran("backtest", *roots, "--strategy", project.folder / "rule.toml", "--check-lookahead", "--json")
        assert json.loads(shown.stdout)["lookahead"]["differing_rows"] == 0


def test_each_horizon_is_evaluated_recorded_and_on_the_card(project: Project) -> None:
    errors = []
    for horizon in project.horizons:
        options = ["--from", "2026-02-01", "--to", "2026-02-20", "--stride", 4, "--horizon", horizon]
        document = json.loads(ran("evaluate", "--candles", project.file, *options, "--record", "--json").stdout)
        assert document["horizonCandles"] == horizon
        assert tuple(document["outputs"]) == OUTPUT_NAMES
        errors.append(document["outputs"]["maxRisePct"]["meanAbsoluteErrorPct"])
    assert sorted(errors) == errors, "the longer the horizon, the larger the errors"
    version = project.models / "versions" / project.bundle.manifest.version
    assert len(list((version / "evaluations").iterdir())) == len(project.horizons)
    card = (version / "card.md").read_text()
    assert all(f"`{name}`" in card for name in project.bundle.manifest.output_names)
    assert [f"{horizon} candles ahead" in card for horizon in project.horizons] == [len(project.horizons) > 1] * len(project.horizons)


def test_tables_charts_and_explanations_are_of_one_horizon(project: Project, tmp_path: Path) -> None:
    pictures = set()
    for horizon in project.horizons:
        ran("predict", project.file, "--horizon", horizon, "--chart", tmp_path / "chart.png")
        shown = ran("explain", project.file, "--horizon", horizon, "--group", 100, "--json", "-o", tmp_path / "why.png")
        assert tuple(json.loads(shown.stdout)["effectsPct"]) == project.bundle.manifest.output_names
        pictures |= {(tmp_path / name).read_bytes() for name in ("chart.png", "why.png")}
    assert len(pictures) == 2 * len(project.horizons)
    for command in ("predict", "explain"):
        rejected = run_coinfarm(command, project.file, "--horizon", 11, *(["-o", tmp_path / "x.png"] if command == "explain" else []))
        assert rejected.exit_code == 2
        assert " or ".join(map(str, project.horizons)) in rejected.stderr
