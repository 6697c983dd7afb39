"""Predictions laid upon their market: which of them can be judged, and what becomes of the others."""

from pathlib import Path

import numpy as np
import pytest

from coinfarm.backtest.market_data import align_predictions, read_market, read_predicted_coins
from coinfarm.backtest.predicted_coin import PredictedCoin
from coinfarm.backtest.stored_predictions import CoinPredictions
from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.candles import Candles
from coinfarm.candles.gaps import fill_gaps
from coinfarm.errors import CoinfarmError
from coinfarm.storage import open_storage
from tests.support.backtest_files import store_candles
from tests.support.backtest_markets import START_MS, predicted, wandering
from tests.support.synthetic_candles import assert_same_candles

HORIZON = 5


def predictions_of(coin: PredictedCoin, in_sample: int = 0) -> CoinPredictions:
    flags = np.arange(len(coin)) < in_sample
    return CoinPredictions(coin.symbol, "1m", None, coin.signal_ms + 59_999, flags, 0, coin.filled_candles, coin.predicted_pct)


def test_each_prediction_stands_at_the_candle_that_ends_its_window() -> None:
    made = predicted(wandering("DEMOUSD", 300, 1), 20, 2)
    coin, exclusions = align_predictions(predictions_of(made), made.candles, HORIZON)
    np.testing.assert_array_equal(coin.signal, made.signal)
    assert exclusions.usable == len(made)


def test_every_prediction_that_is_left_out_is_counted_once() -> None:
    made = predicted(wandering("DEMOUSD", 300, 1), 20, 2)
    made.predicted_pct[5:9] = np.nan  # of which three are in sample
    stored = predictions_of(made, in_sample=8)
    without_first_and_last = made.candles[40:290]
    coin, exclusions = align_predictions(stored, without_first_and_last, HORIZON)
    assert (exclusions.predictions, exclusions.in_sample, exclusions.without_values) == (275, 8, 1)
    assert exclusions.without_candles == 40 - 20 - 9 + 300 - HORIZON - 290
    assert exclusions.without_horizon == HORIZON
    assert exclusions.usable == len(coin) == 250 - HORIZON
    assert coin.candles.open_time[coin.signal[0]] == made.candles.open_time[40]


def test_of_which_the_model_does_not_tell_are_kept() -> None:
    made = predicted(wandering("DEMOUSD", 300, 1), 20, 2)
    stored = predictions_of(made)
    _, exclusions = align_predictions(CoinPredictions(**vars(stored) | {"in_sample_unknown": 7}), made.candles, HORIZON)
    assert (exclusions.in_sample_unknown, exclusions.usable) == (7, len(made))


def test_predictions_off_the_candles_grid_have_no_candle() -> None:
    made = predicted(wandering("DEMOUSD", 300, 1), 20, 2)
    shifted = CoinPredictions(**vars(predictions_of(made)) | {"close_time": made.signal_ms + 30_000})
    assert align_predictions(shifted, made.candles, HORIZON)[1].without_candles == len(made)


@pytest.fixture(scope="module")
def minutes() -> Candles:
    """Three days, with holes."""
    return wandering("DEMOUSD", 4_000, 3)


def real(candles: Candles) -> Candles:
    kept = np.flatnonzero(~candles.filled)
    columns = type(candles.columns)(*(column[kept] for column in candles.columns))
    return Candles(candles.symbol, candles.interval, candles.open_time[kept], columns, candles.filled[kept])


@pytest.mark.parametrize("root", ["{}", "{}/DEMOUSD-1m.parquet"], ids=["a folder of files", "a file"])
def test_candles_are_read_from_files(tmp_path: Path, minutes: Candles, root: str) -> None:
    store_candles(tmp_path, minutes)
    assert_same_candles(fill_gaps(read_market(root.format(tmp_path), "DEMOUSD", "1m"), 10**6), minutes)


@pytest.mark.parametrize("name", ["store", "candles"])
@pytest.mark.parametrize("root", ["{}", "{}/candles"], ids=["its root", "its folder"])
def test_candles_are_read_from_a_store(tmp_path: Path, minutes: Candles, root: str, name: str) -> None:
    folder = tmp_path / name
    store = CandleStore(open_storage(str(folder)))
    for day in range(3):
        part = real(minutes).between(START_MS + day * 86_400_000, START_MS + (day + 1) * 86_400_000)
        store.write_day(part)
    assert_same_candles(fill_gaps(read_market(root.format(folder), "DEMOUSD", "1m"), 10**6), minutes)


def test_candles_of_another_coin_are_not_taken_for_its_own(tmp_path: Path, minutes: Candles) -> None:
    store_candles(tmp_path, minutes)
    with pytest.raises(CoinfarmError, match=r"DEMOUSD-1m\.parquet .* DEMOETH"):
        read_market(f"{tmp_path}/DEMOUSD-1m.parquet", "DEMOETH", "1m")


def test_where_no_prediction_is_left_the_reasons_are_counted(tmp_path: Path) -> None:
    made = predicted(wandering("DEMOUSD", 300, 1), 20, 2)
    store_candles(tmp_path, made.candles)
    with pytest.raises(CoinfarmError, match=r"275 predictions .* 275 are in sample"):
        read_predicted_coins([predictions_of(made, in_sample=275)], str(tmp_path), HORIZON)
