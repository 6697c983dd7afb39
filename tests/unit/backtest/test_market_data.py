"""Predictions laid upon their market: which of them can be judged, and what becomes of the others."""

from pathlib import Path

import numpy as np
import pytest

from coinfarm.backtest.coin import Coin
from coinfarm.backtest.market_data import coin_of, read_coins, read_market
from coinfarm.backtest.stored_predictions import CoinPredictions
from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.candles import Candles
from coinfarm.candles.gaps import fill_gaps
from coinfarm.errors import CoinfarmError
from coinfarm.storage import open_storage
from tests.support.synthetic_candles import assert_same_candles
from tests.unit.backtest.markets import START_MS, predicted, wandering
from tests.unit.backtest.stored import store_candles

HORIZON = 5


def predictions_of(coin: Coin, in_sample: int = 0) -> CoinPredictions:
    flags = np.arange(len(coin)) < in_sample
    return CoinPredictions(coin.symbol, "1m", None, coin.signal_ms + 59_999, flags, 0, coin.filled_candles, coin.predicted_pct)


def test_each_prediction_stands_at_the_candle_that_ends_its_window() -> None:
    made = predicted(wandering("DEMOUSD", 300, 1), 20, 2)
    coin, left_out = coin_of(predictions_of(made), made.candles, HORIZON)
    np.testing.assert_array_equal(coin.signal, made.signal)
    assert left_out.kept == len(made)


def test_every_prediction_that_is_left_out_is_counted_once() -> None:
    made = predicted(wandering("DEMOUSD", 300, 1), 20, 2)
    made.predicted_pct[5:9] = np.nan  # of which three are in sample
    stored = predictions_of(made, in_sample=8)
    without_first_and_last = made.candles[40:290]
    coin, left_out = coin_of(stored, without_first_and_last, HORIZON)
    assert (left_out.predictions, left_out.in_sample, left_out.without_values) == (275, 8, 1)
    assert left_out.without_candles == 40 - 20 - 9 + 300 - HORIZON - 290
    assert left_out.without_horizon == HORIZON
    assert left_out.kept == len(coin) == 250 - HORIZON
    assert coin.candles.open_time[coin.signal[0]] == made.candles.open_time[40]


def test_of_which_the_model_does_not_tell_are_kept() -> None:
    made = predicted(wandering("DEMOUSD", 300, 1), 20, 2)
    stored = predictions_of(made)
    _, left_out = coin_of(CoinPredictions(**vars(stored) | {"in_sample_unknown": 7}), made.candles, HORIZON)
    assert (left_out.in_sample_unknown, left_out.kept) == (7, len(made))


def test_predictions_off_the_candles_grid_have_no_candle() -> None:
    made = predicted(wandering("DEMOUSD", 300, 1), 20, 2)
    shifted = CoinPredictions(**vars(predictions_of(made)) | {"close_time": made.signal_ms + 30_000})
    assert coin_of(shifted, made.candles, HORIZON)[1].without_candles == len(made)


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
    with pytest.raises(CoinfarmError, match="1m candles of DEMOUSD, the predictions are 1m of DEMOETH"):
        read_market(f"{tmp_path}/DEMOUSD-1m.parquet", "DEMOETH", "1m")


def test_where_no_prediction_is_left_the_reasons_are_counted(tmp_path: Path) -> None:
    made = predicted(wandering("DEMOUSD", 300, 1), 20, 2)
    store_candles(tmp_path, made.candles)
    with pytest.raises(CoinfarmError, match="none of 275 predictions can be judged: 275 are in sample"):
        read_coins([predictions_of(made, in_sample=275)], str(tmp_path), HORIZON)
