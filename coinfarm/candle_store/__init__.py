"""Years of candles: downloaded, imported, checked, and kept by the day."""
