"""Benchmarks for the figures of the README: `make bench`."""
