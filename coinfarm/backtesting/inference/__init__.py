"""What the daily profits say: the edge, its interval, the verdict, and what was tried."""
