"""What a person reads for what a document names."""

from coinfarm.models.evaluation_document import Accuracy

BASELINE_TITLES = {
    "zero": "zero",
    "trainingMean": "training mean",
    "constantTimesRange": "constant × range",
    "ridge": "ridge regression",
    "persistence": "persistence",
    "reversal": "reversal",
}
BASELINE_MEANINGS = {
    "zero": "always predicts no change",
    "trainingMean": "always predicts the mean of the training period",
    "constantTimesRange": "the window's price range times a constant",
    "ridge": "a linear model of recent returns, range, volatility and volume",
    "persistence": "predicts that the move of the last candles repeats",
    "reversal": "predicts the opposite of the move of the last candles",
}


def number(value: float | None, decimals: int = 3) -> str:
    """With a real minus, and never -0.000; a dash where there is none."""
    if value is None:
        return "–"
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", "−")


def between(bounds: tuple[float, float] | None, decimals: int = 3) -> str:
    """An interval, `[0.116, 0.158]`; empty where there is none."""
    return "" if bounds is None else f"[{number(bounds[0], decimals)}, {number(bounds[1], decimals)}]"


def percent(value: float | None) -> str:
    """A share: `53.3 %`."""
    return "–" if value is None else f"{number(value, 1)} %"


def right(share: Accuracy) -> str:
    """How often predictions were correct: `53.3 % [52.5, 54.1]`."""
    return "–" if share.right_pct is None else f"{percent(share.right_pct)} {between(share.interval_pct, 1)}".rstrip()
