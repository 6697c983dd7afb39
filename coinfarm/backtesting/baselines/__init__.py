"""Strategies without a model, and perfect foresight, to compare a strategy with."""
