"""Live predictions: every candle of an exchange as it closes, with its prediction, in a store."""
