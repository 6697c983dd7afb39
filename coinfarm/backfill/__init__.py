"""Backfills: predict years of history shard by shard, on this machine, on Lambda or on a GPU fleet."""
