"""What a model is worth on windows that it has not seen, beside what costs nothing to say."""
