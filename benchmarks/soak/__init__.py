"""Soak tests: a server under load while its model is switched, and a backfill while its workers are killed. `make soak`."""
