"""From stored predictions and candles to trades, statistics and a verdict on whether they make money."""
