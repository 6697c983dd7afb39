"""One command from candle files to a backtest."""
