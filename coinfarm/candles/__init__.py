"""One series of candles in memory: columns, validation, gaps, intervals, files, synthetic candles."""
