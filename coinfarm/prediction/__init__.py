"""From candles to predictions: the predictor, and the model that it uses."""
