"""Files for other tools."""

import pytest
from pyarrow import feather
from pyarrow import parquet as pq

from coinfarm.backtesting.export import export, pair_name
from coinfarm.backtesting.fills import fill_orders
from coinfarm.backtesting.simulation import simulate_trades
from coinfarm.backtesting.stored_predictions import read_predictions
from coinfarm.errors import CoinfarmError
from tests.support.backtest_files import store_candles, store_predictions
from tests.support.backtest_markets import FREE, START_MS, noisy_predictions, orders, random_walk


def exported(tmp_path):
    coin = noisy_predictions(random_walk("DEMOUSDT", 300, 1), 20, 2)
    coin.predicted_pct[1] = float("nan")
    store_predictions(tmp_path, coin)
    store_candles(tmp_path / "candles", coin.candles)
    trades = simulate_trades(("DEMOUSDT",), [fill_orders(coin.candles, orders(30, 40, stop_pct=0.01), FREE)])
    written = export(read_predictions(str(tmp_path)), str(tmp_path / "candles"), trades, tmp_path / "out")
    assert sorted(path.name for path in written) == sorted(path.name for path in (tmp_path / "out").iterdir())
    return tmp_path / "out"


def test_feather_files_have_freqtrades_columns_and_dates(tmp_path):
    folder = exported(tmp_path)
    candles = feather.read_table(folder / "DEMO_USDT-1m.feather")
    assert candles.column_names == ["date", "open", "high", "low", "close", "volume"]
    assert str(candles["date"].type) == "timestamp[ms, tz=UTC]"
    predictions = feather.read_table(folder / "DEMO_USDT-1m-predictions.feather")
    assert predictions.column_names[0] == "date"
    assert predictions["date"][0].value == START_MS + 20 * 60_000
    assert predictions["close_time"][0].as_py() == START_MS + 21 * 60_000 - 1
    assert predictions["end_change_pct"].null_count == 1


def test_parquet_files_have_all_coins_and_trades(tmp_path):
    folder = exported(tmp_path)
    predictions = pq.read_table(folder / "predictions.parquet")
    assert set(predictions["symbol"].to_pylist()) == {"DEMOUSDT"}
    trades = pq.read_table(folder / "trades.parquet").to_pylist()
    assert [trade["left_by"] for trade in trades] == ["stop", "stop"]
    assert trades[0]["profit_quote"] == pytest.approx(trades[0]["profit_before_cost_quote"])
    assert "freqtrade" in (folder / "RECIPES.md").read_text()


@pytest.mark.parametrize(
    ("symbol", "pair"), [("BTCUSD", "BTC_USD"), ("ETHUSDT", "ETH_USDT"), ("ETHBTC", "ETH_BTC"), ("BTC-USD", "BTC_USD"), ("XYZ", "XYZ")]
)
def test_names_pairs_like_freqtrade(symbol, pair):
    assert pair_name(symbol) == pair


def test_names_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    trades = simulate_trades((), [fill_orders(random_walk("DEMOUSD", 20, 1), orders(), FREE)])
    with pytest.raises(CoinfarmError, match=r"file: "):
        export([], "", trades, tmp_path / "file")
