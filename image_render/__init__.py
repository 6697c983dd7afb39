"""Candles to frames: the only way to a pixel, for training, serving and backtests alike."""
