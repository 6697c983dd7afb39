"""The result of a backtest as a page, as JSON and as files."""
