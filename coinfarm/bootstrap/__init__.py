"""Resampling of dependent series: block lengths, resamples, and transforms that measure slow movements."""
