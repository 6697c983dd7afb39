"""What the command and the report are tried on."""

from pathlib import Path

import numpy as np
import pytest

from tests.unit.backtest.markets import predicted, wandering
from tests.unit.backtest.stored import store_candles, store_predictions

MINUTES = 12 * 1440


@pytest.fixture(scope="session")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve days of two coins; the first day is in sample."""
    root = tmp_path_factory.mktemp("backtest")
    for seed, symbol in enumerate(("DEMOBTC", "DEMOETH")):
        coin = predicted(wandering(symbol, MINUTES, seed), 20, seed + 5)
        store_predictions(root / "results", coin, in_sample=(np.arange(len(coin)) < 1_440).tolist())
        store_candles(root / "candles", coin.candles)
    return root
