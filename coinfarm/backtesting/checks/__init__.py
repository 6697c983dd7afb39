"""Checks for leaks of the future, and for predictions that do not fit the candles."""
