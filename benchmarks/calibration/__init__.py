"""`make calibrate`: whether the backtest's verdict keeps its promises, on synthetic streams of daily profits with a known edge."""
