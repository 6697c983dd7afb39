"""Evaluation of a model on windows that it was not trained on, compared with simple baselines."""
