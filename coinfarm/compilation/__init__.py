"""Creates and measures the compiled forms of a model when it is published. Serving does not import it."""
