"""Years of candles, stored by day: download, import and check."""
