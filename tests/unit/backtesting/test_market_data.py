"""Candles from files and stores, and predictions aligned to them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coinfarm.backtesting.market_data import align_predictions, read_market, read_predicted_coins
from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.stored_predictions import CoinPredictions
from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS
from coinfarm.candles.gaps import fill_gaps
from coinfarm.errors import CoinfarmError
from coinfarm.storage import open_storage
from image_render.windows import Columns
from tests.support.backtest_files import store_candles
from tests.support.backtest_markets import START_MS, noisy_predictions, random_walk
from tests.support.synthetic_candles import assert_same_candles

HORIZON = 5


def predictions_of(coin: PredictedCoin, in_sample: int = 0) -> CoinPredictions:
    flags = np.arange(len(coin)) < in_sample
    return CoinPredictions(coin.symbol, "1m", None, coin.signal_ms + 59_999, flags, 0, coin.filled_candles, coin.predicted_pct)


@pytest.fixture
def predicted() -> PredictedCoin:
    """Predictions for the candles 20 to 294 of 300."""
    return noisy_predictions(random_walk("DEMOUSD", 300, 1), 20, 2)


def test_aligns_each_prediction_to_the_last_candle_of_its_window(predicted: PredictedCoin) -> None:
    coin, exclusions = align_predictions(predictions_of(predicted), predicted.candles, HORIZON)
    np.testing.assert_array_equal(coin.signal, predicted.signal)
    assert exclusions.usable == len(predicted)


def test_counts_each_excluded_prediction_once(predicted: PredictedCoin) -> None:
    predicted.predicted_pct[5:8] = np.nan  # three of them are in sample
    predicted.predicted_pct[8] = np.inf
    stored = predictions_of(predicted, in_sample=8)
    coin, exclusions = align_predictions(stored, predicted.candles[40:290], HORIZON)
    assert (exclusions.predictions, exclusions.in_sample, exclusions.without_values) == (275, 8, 1)
    assert exclusions.without_candles == 40 - 20 - 9 + 300 - HORIZON - 290
    assert exclusions.without_horizon == HORIZON
    assert exclusions.usable == len(coin) == 250 - HORIZON
    assert coin.candles.open_time[coin.signal[0]] == predicted.candles.open_time[40]


def test_excludes_only_predictions_between_candles(predicted: PredictedCoin) -> None:
    stored = replace(predictions_of(predicted), in_sample_unknown=7)
    _, exclusions = align_predictions(stored, predicted.candles, HORIZON)
    assert (exclusions.in_sample_unknown, exclusions.usable) == (7, len(predicted))
    shifted = replace(stored, close_time=predicted.signal_ms + 30_000)
    assert align_predictions(shifted, predicted.candles, HORIZON)[1].without_candles == len(predicted)


@pytest.fixture(scope="module")
def minutes() -> Candles:
    """Three days, with gaps."""
    return random_walk("DEMOUSD", 4_000, 3)


def without_filled(candles: Candles) -> Candles:
    real = np.flatnonzero(~candles.filled)
    columns = type(candles.columns)(*(column[real] for column in candles.columns))
    return Candles(candles.symbol, candles.interval, candles.open_time[real], columns, candles.filled[real])


@pytest.mark.parametrize("root", ["{}", "{}/DEMOUSD-1m.parquet"], ids=["a folder of files", "a file"])
def test_reads_candles_from_files(tmp_path: Path, minutes: Candles, root: str) -> None:
    store_candles(tmp_path, minutes)
    assert_same_candles(fill_gaps(read_market(root.format(tmp_path), "DEMOUSD", "1m"), 10**6), minutes)


@pytest.mark.parametrize("name", ["DEMO-USD-1m", "demousd-1m", "DEMO_USD-1m"])
def test_reads_a_file_whose_name_has_another_spelling(tmp_path: Path, minutes: Candles, name: str) -> None:
    store_candles(tmp_path, minutes)
    (tmp_path / "DEMOUSD-1m.parquet").rename(tmp_path / f"{name}.parquet")
    assert_same_candles(fill_gaps(read_market(str(tmp_path), "DEMOUSD", "1m"), 10**6), minutes)
    with pytest.raises(CoinfarmError):
        read_market(str(tmp_path), "DEMOUSD", "1h")


@pytest.mark.parametrize("name", ["store", "candles"])
@pytest.mark.parametrize("root", ["{}", "{}/candles"], ids=["its root", "its folder"])
def test_reads_candles_from_a_store(tmp_path: Path, minutes: Candles, root: str, name: str) -> None:
    folder = tmp_path / name
    store = CandleStore(open_storage(str(folder)))
    for day in range(3):
        part = without_filled(minutes).between(START_MS + day * 86_400_000, START_MS + (day + 1) * 86_400_000)
        store.write_day(part)
    assert_same_candles(fill_gaps(read_market(root.format(folder), "DEMOUSD", "1m"), 10**6), minutes)


def test_rejects_a_file_of_another_coin(tmp_path: Path, minutes: Candles) -> None:
    store_candles(tmp_path, minutes)
    with pytest.raises(CoinfarmError, match=r"DEMOUSD-1m\.parquet .* DEMOETH"):
        read_market(f"{tmp_path}/DEMOUSD-1m.parquet", "DEMOETH", "1m")


def test_counts_the_reasons_if_all_predictions_are_excluded(tmp_path: Path, predicted: PredictedCoin) -> None:
    store_candles(tmp_path, predicted.candles)
    with pytest.raises(CoinfarmError, match=r"275 predictions .* 275 are in sample"):
        read_predicted_coins([predictions_of(predicted, in_sample=275)], str(tmp_path), HORIZON)


def test_daily_predictions_lose_only_those_without_a_horizon(tmp_path: Path) -> None:
    days = 200
    candles = Candles.checked("DEMOUSD", "1d", START_MS + np.arange(days) * DAY_MS, Columns(*np.full((4, days), 100.0), np.full(days, 1.0)))
    store_candles(tmp_path, candles)
    signal = np.arange(100, 180)
    stored = replace(
        predictions_of(PredictedCoin(candles, signal, np.ones((80, 3)), np.zeros(80, np.int64))),
        interval="1d",
        close_time=candles.open_time[signal] + DAY_MS - 1,
    )
    (coin,), exclusions = read_predicted_coins([stored], str(tmp_path), 30)
    assert (exclusions.without_candles, exclusions.without_horizon, len(coin)) == (0, 10, 70)
    assert coin.signal[0] >= 60  # enough candles before the first signal for trailing volumes
