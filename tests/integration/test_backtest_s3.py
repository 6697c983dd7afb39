"""A backtest of predictions and candles in S3, over moto's server."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import CliRunner

from coinfarm.backtesting.inference.trials import FILE_NAME
from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.day import by_day
from coinfarm.candles.files import parse_candles
from coinfarm.cli import main
from coinfarm.storage import open_storage
from tests.support.backtest_files import MODEL, store_candles, store_predictions
from tests.support.backtest_markets import noisy_predictions, random_walk

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

STRATEGY = """
[entry]
min_end_change_pct = 0.25
min_rise_to_decline = 1.0

[exit]
horizon_candles = 5
"""
RESULTS, CANDLES = "s3://results/backtest", "s3://candles/backtest"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days of a coin, the first hour of which is in sample, and a strategy."""
    local = tmp_path_factory.mktemp("backtest")
    coin = noisy_predictions(random_walk("DEMOBTC", 2 * 1440, 1), 20, 6)
    store_predictions(local / "results", coin, in_sample=(np.arange(len(coin)) < 60).tolist())
    store_candles(local / "candles", coin.candles)
    (local / "strategy.toml").write_text(STRATEGY)
    return local


@pytest.fixture(scope="module", autouse=True)
def uploaded(s3: "S3Client", local: Path) -> None:
    """The predictions in a backfill's folders; the candles in a candle store, and as a file."""
    for path in (local / "results").rglob("*.parquet"):
        open_storage(RESULTS).write(path.relative_to(local / "results").as_posix(), path.read_bytes())
    file = local / "candles/DEMOBTC-1m.parquet"
    open_storage(f"{CANDLES}/files").write(file.name, file.read_bytes())
    for day in by_day(parse_candles(file.read_bytes(), file.name)):
        CandleStore(open_storage(f"{CANDLES}/store")).write_day(day)


def backtest(local: Path, predictions: str, candles: str) -> dict[str, Any]:
    options = ["--predictions", predictions, "--candles", candles, "--strategy", str(local / "strategy.toml"), "--json"]
    result = CliRunner().invoke(main, ["backtest", *options])
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


@pytest.mark.parametrize(
    ("predictions", "candles"),
    [
        pytest.param(RESULTS, f"{CANDLES}/store", id="a run's results and a candle store"),
        pytest.param(f"{RESULTS}/predictions/model={MODEL}/", f"{CANDLES}/files", id="one model's folder and files of candles"),
    ],
)
def test_backtests_in_s3_and_in_folders_have_the_same_result(local: Path, predictions: str, candles: str) -> None:
    in_folders = backtest(local, f"{local}/results", f"{local}/candles")
    in_s3 = backtest(local, predictions, candles)
    assert in_s3 == in_folders
    assert in_s3["model"] == MODEL
    assert in_s3["predictions"]["in_sample"] == 60
    assert in_s3["statistics"]["trades"] > 0
    assert open_storage(predictions).exists(FILE_NAME), "the trials are stored next to the predictions"
