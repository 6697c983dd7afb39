"""Would it have made money? Predictions and candles, to trades, to a verdict with its uncertainty."""
