"""Years of history, predicted shard by shard: on this machine, on Lambda, on a fleet."""
