"""The trade: candles to predictions, models, history and backtests; it knows nothing of events."""
