"""A rule of your own for `coinfarm backtest`; docs/backtest.md explains it."""


def enter(predictions):
    """Buy where the predicted rise is more than 1.2 times the predicted decline, and no candle was missing.

    `predictions` has the columns of one coin, a NumPy array each, in order of time. The result is an array of the same length: 1 buys,
    0 does nothing, -1 sells short. A row may use the values of its own row and of the rows before it, never of rows after it.
    """
    rise = predictions["max_rise_pct"]
    decline = -predictions["max_decline_pct"]
    wanted = (rise > 1.2 * decline) & (predictions["filled_candles"] == 0)
    return wanted.astype(int)
