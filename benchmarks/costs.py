"""The cost of a million frames in US dollars, from the measured speed and list prices of us-east-1."""

from coinfarm.backfill.prices import LAMBDA_MB_PER_CORE, LAMBDA_USD_PER_GB_S, LAMBDA_USD_PER_REQUEST

_MILLION = 1_000_000
_FRAMES_PER_REQUEST = 1_440  # one day of 1-minute candles, a shard
TWO_YEARS_FRAMES = 3_150_000
"""Two years of 1-minute candles of three coins."""
FUNCTION_MB = 3_008
"""The memory of template.yaml's batch function."""


def lambda_usd_per_million(frames_per_s: float, cores: int) -> float:
    """The cost on Lambda functions with as many cores as the measured machine."""
    gb = LAMBDA_MB_PER_CORE * cores / 1024
    return _MILLION / frames_per_s * gb * LAMBDA_USD_PER_GB_S + _MILLION / _FRAMES_PER_REQUEST * LAMBDA_USD_PER_REQUEST


def function_frames_per_s(frames_per_s: float, cores: int) -> float:
    """The speed of the batch function, whose share of the processor is in proportion to its memory."""
    return frames_per_s / cores * FUNCTION_MB / LAMBDA_MB_PER_CORE


def instance_usd_per_million(frames_per_s: float, usd_per_h: float) -> float:
    """The cost on an instance that is always busy."""
    return _MILLION / frames_per_s / 3600 * usd_per_h
