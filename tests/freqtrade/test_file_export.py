"""The freqtrade recipe of `coinfarm backtest --export`, in freqtrade's own backtest."""

import shutil
from typing import Any

import numpy as np
import pandas as pd

from coinfarm.backtesting.reporting.export import export
from coinfarm.backtesting.stored_predictions import read_predictions
from tests.support.backtest_files import store_candles, store_predictions
from tests.support.backtest_markets import noisy_predictions, random_walk

MINUTE = pd.Timedelta("1min")


def test_the_recipe_trades_on_the_exported_predictions(make_bot: Any) -> None:
    coin = noisy_predictions(random_walk("BTCUSDT", 2000, 1), 300, 2)
    bot = make_bot({"BTCUSDT": coin.candles})
    results, candles, exported = bot.folder / "results", bot.folder / "candles", bot.folder / "user_data"
    store_predictions(results, coin, in_sample=[at % 3 == 0 for at in range(len(coin))])
    store_candles(candles, coin.candles)
    export(read_predictions(str(results)), str(candles), exported)
    bot.data.mkdir(parents=True)
    shutil.copy(exported / "BTC_USDT-1m.feather", bot.data)
    recipe = (exported / "RECIPES.md").read_text().split("## freqtrade\n")[1].split("```python\n")[1].split("```")[0]
    (bot.strategies / "coinfarm.py").write_text(recipe)
    bot.strategy = "Coinfarm"
    status, output = bot.run("backtesting", "--cache", "none")
    assert status == 0, output
    opened = pd.to_datetime(bot.trades()["open_date"], utc=True)
    wanted = (coin.predicted_pct[:, 2] > 0.15) & (np.arange(len(coin)) % 3 != 0)
    assert len(opened) > 10
    assert set(opened - MINUTE) <= set(pd.to_datetime(coin.signal_ms[wanted], unit="ms", utc=True))
