"""Files for other tools."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pyarrow import feather
from pyarrow import parquet as pq

from coinfarm.backtesting.predicted_coin import PredictedCoin
from coinfarm.backtesting.reporting.export import export, pair_name, recipes_text
from coinfarm.backtesting.stored_predictions import CoinPredictions, read_predictions
from coinfarm.errors import CoinfarmError
from coinfarm.prediction.model_scope import ModelScope
from tests.support.backtest_files import store_candles, store_predictions
from tests.support.backtest_markets import START_MS, market, noisy_predictions, random_walk


def exported(tmp_path):
    coin = noisy_predictions(random_walk("DEMOUSDT", 300, 1), 20, 2)
    coin.predicted_pct[1] = float("nan")
    store_predictions(tmp_path, coin)
    store_candles(tmp_path / "candles", coin.candles)
    written = export(read_predictions(str(tmp_path)), str(tmp_path / "candles"), tmp_path / "out")
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


def test_the_parquet_file_has_all_coins(tmp_path):
    folder = exported(tmp_path)
    predictions = pq.read_table(folder / "predictions.parquet")
    assert set(predictions["symbol"].to_pylist()) == {"DEMOUSDT"}
    assert "freqtrade" in (folder / "RECIPES.md").read_text()


@pytest.mark.parametrize(
    ("symbol", "pair"), [("BTCUSD", "BTC_USD"), ("ETHUSDT", "ETH_USDT"), ("ETHBTC", "ETH_BTC"), ("BTC-USD", "BTC_USD"), ("XYZ", "XYZ")]
)
def test_names_pairs_like_freqtrade(symbol, pair):
    assert pair_name(symbol) == pair


def test_names_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CoinfarmError, match=r"file: "):
        export([], "", tmp_path / "file")


def recipe(folder: Path, title: str) -> str:
    """The Python block of a recipe."""
    return (folder / "RECIPES.md").read_text(encoding="utf-8").split(f"## {title}\n")[1].split("```python\n")[1].split("```")[0]


def test_recipes_have_the_interval_and_the_horizon_of_the_predictions() -> None:
    none = np.zeros(0)
    coin = CoinPredictions("ETHUSDT", "1h", None, none, none, 0, none, none, ModelScope(12, "1h"))
    text = recipes_text(coin)
    for expected in ("ETH_USDT-1h-predictions.feather", '"60min"', '"780min"', 'timeframe = "1h"', '"720": -1', "{name}-1h-predictions"):
        assert expected in text


def test_the_vectorbt_recipe_counts_minutes_not_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries and exits are those of one position at a time, each for thirty minutes, although some candles are missing."""
    pd = pytest.importorskip("pandas")
    missing = [*range(6, 20), 31, 32, 62]
    candles = market([(100, 100, 100, 100)] * 120, missing=missing)
    store_candles(tmp_path / "candles", candles)
    signal = np.array([0, 10, 30, 61, 66, 100])
    coin = PredictedCoin(candles, signal, np.full((6, 3), 0.5), np.zeros(6, np.int64))
    store_predictions(tmp_path, coin)
    export(read_predictions(str(tmp_path)), str(tmp_path / "candles"), tmp_path)
    called = {}

    def from_signals(close: Any, entries: Any, exits: Any, **_: Any) -> Any:
        called.update(close=close, entries=entries, exits=exits)
        return SimpleNamespace(stats=lambda: None)

    monkeypatch.setitem(sys.modules, "vectorbt", SimpleNamespace(Portfolio=SimpleNamespace(from_signals=from_signals)))
    monkeypatch.chdir(tmp_path)
    exec(compile(recipe(tmp_path, "vectorbt"), "recipe", "exec"), {})
    minutes = [
        (called[name][called[name]].index - pd.Timestamp(START_MS, unit="ms", tz="UTC")) // pd.Timedelta("1min")
        for name in ("entries", "exits")
    ]
    # The signals of minutes 10 and 30 come while a position is open, that of 61 has no candle to be filled in.
    assert [each.tolist() for each in minutes] == [[1, 67, 101], [33, 97]]
