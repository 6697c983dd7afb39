"""Renders candles to frames, for training, serving and backtests alike."""
