"""Regenerate the files of this folder: `python examples/make.py`.

The candles are synthetic (`coinfarm.candles.synthetic`).
"""

import json
from datetime import UTC, datetime
from pathlib import Path

from coinfarm.candles.candles import Candles
from coinfarm.candles.json_rows import rows_from_candles
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candles.synthetic import generate

FOLDER = Path(__file__).parent
CANDLE_FILE = "DEMOUSD-1m.parquet"
REQUEST_FILE = "request.json"
_START = datetime(2026, 1, 1, tzinfo=UTC)
_REQUEST_CANDLES = 210  # 11 windows


def candles() -> Candles:
    """Three days of 1-minute candles."""
    return generate("DEMOUSD", "1m", int(_START.timestamp() * 1000), 3 * 24 * 60, seed=2026)


def files() -> dict[str, bytes]:
    """The content of each generated file, by its name."""
    series = candles()
    last = series[-_REQUEST_CANDLES:]
    request = {"symbol": last.symbol, "interval": last.interval, "candles": rows_from_candles(last)}
    return {
        CANDLE_FILE: parquet_from_candles(series),
        REQUEST_FILE: json.dumps(request).replace("], [", "],\n[").encode() + b"\n",
    }


if __name__ == "__main__":
    for name, content in files().items():
        (FOLDER / name).write_bytes(content)
