"""Live predictions scored against what happened next."""

DEFAULT_DAYS = 90
"""The days that are scored unless others are asked for."""
SERVED_DAYS = 30
"""The same where scores are computed again and again, as in a server: a third of the time and of the memory."""
