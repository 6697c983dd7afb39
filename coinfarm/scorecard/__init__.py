"""Live predictions scored against what happened next."""
