"""A step rule of your own for `coinfarm backtest`; docs/strategy.md explains it."""


class Trader:
    """Buys what is predicted to rise while it is above its average, and sells when the predictions turn. One instance trades each coin."""

    def __init__(self):
        self.doubts = 0

    def __call__(self, view):
        """Called at every prediction: return an order, "exit", or None for nothing."""
        end_change = view.predictions["end_change_pct"][-1]
        if view.position is not None:
            self.doubts = self.doubts + 1 if end_change < 0 else 0
            return "exit" if self.doubts == 2 else None
        self.doubts = 0
        close = view.candles.close
        if end_change > 0 and close[-1] > close[-60:].mean():
            return {"side": 1, "stop_pct": 0.5, "take_profit_pct": 2 * view.predictions["max_rise_pct"][-1], "stake_share": 0.5}
        return None
