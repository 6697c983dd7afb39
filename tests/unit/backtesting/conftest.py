"""Stored predictions and candles of two coins."""

from pathlib import Path

import pytest

from tests.support.backtest_files import store_two_coins


@pytest.fixture(scope="session")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return store_two_coins(tmp_path_factory.mktemp("backtest"))
