"""Making the compiled forms of a model at publish, and measuring what they are worth. Serving imports nothing of it."""
