"""The candles of the benchmarks: real ones if they are stored next to the repository, or else synthetic ones."""

from pathlib import Path

from coinfarm.candles.candles import Candles
from coinfarm.candles.files import parse_candles
from coinfarm.candles.gaps import fill_gaps
from coinfarm.candles.synthetic import START_OF_2026_MS, generate

_REAL = Path(__file__).parents[2] / "shared" / "data" / "candles" / "BTCUSD-1m.parquet"


def bench_candles(count: int) -> tuple[Candles, str]:
    """`count` candles without gaps, and a description of them."""
    if _REAL.exists():
        filled = fill_gaps(parse_candles(_REAL.read_bytes(), _REAL.name), 2_000_000)
        return filled[-count:], "BTCUSD, 1-minute candles of Bitfinex up to 2019-06-30"
    return generate("DEMOUSD", "1m", START_OF_2026_MS, count, seed=1), "synthetic 1-minute candles"
