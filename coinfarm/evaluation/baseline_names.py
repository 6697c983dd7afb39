"""The names and meanings of the baselines, as a report shows them."""

BASELINE_TITLES = {
    "zero": "zero",
    "trainingMean": "training mean",
    "constantTimesRange": "constant × range",
    "har": "HAR of volatility",
    "ridge": "ridge regression",
    "gradientBoosting": "gradient boosting",
    "persistence": "persistence",
    "reversal": "reversal",
}
BASELINE_MEANINGS = {
    "zero": "always predicts no change",
    "trainingMean": "always predicts the mean of the training period",
    "constantTimesRange": "the window's price range times a constant",
    "har": "a linear model of the realised volatility over 9, 45 and 199 candles (Corsi 2009), and the mean end change",
    "ridge": "a linear model of recent returns, range, volatility and volume",
    "gradientBoosting": "boosted regression trees on the features of the ridge regression",
    "persistence": "predicts that the move of the last candles repeats",
    "reversal": "predicts the opposite of the move of the last candles",
}
