"""Which trades the report shows."""

import numpy as np
import pytest

from coinfarm.backtesting.execution.trades import HORIZON, Trade, Trades
from coinfarm.backtesting.reporting.trade_gallery import example_trades
from tests.support.backtest_markets import START_MS


@pytest.mark.parametrize(("count", "kinds"), [(0, (0, 0, 0)), (3, (2, 1, 0)), (5, (2, 2, 1)), (20, (2, 2, 2))])
def test_shows_no_trade_twice(count, kinds):
    earned = np.random.default_rng(1).permutation(count)
    rows = [
        Trade(0, at, START_MS + at, START_MS + at + 1, 1, HORIZON, 1.0, 1.0, 100.0, float(gross), 0.0, 0.0)
        for at, gross in enumerate(earned)
    ]
    examples = example_trades(Trades.from_rows(("DEMOUSD",), rows), 2)
    assert tuple(map(len, examples.values())) == kinds
    all_rows = [at for rows in examples.values() for at in rows]
    assert len(set(all_rows)) == len(all_rows)
    if count > 2:
        assert [int(earned[at]) for at in examples["best"]] == [count - 1, count - 2]
        assert int(earned[examples["worst"][0]]) == 0
