"""Candles of one symbol and interval in memory: columns, validation, gaps, intervals, files, synthetic candles."""
