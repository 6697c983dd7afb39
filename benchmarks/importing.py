"""Time and memory of importing candles: `python -m benchmarks.importing` imports three million from Parquet, CSV and JSON."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from coinfarm.candles.candles import Candles
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candles.synthetic import generate

_START_MS = 1_499_990_400_000
_ROWS_AT_ONCE = 200_000
_IMPORT = """
import json, resource, sys, time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from coinfarm.candle_store.importing import import_file
from coinfarm.candle_store.store import CandleStore
from coinfarm.storage import open_storage
started = time.perf_counter()
outcome = import_file(CandleStore(open_storage(sys.argv[2])), Path(sys.argv[1]))
assert not outcome.rejected, outcome.rejected
seconds, peak_mb = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps({"candles": outcome.candles, "seconds": round(seconds, 1), "peakMegabytes": peak_mb}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candles", type=int, default=3_000_000)
    count = parser.parse_args().candles
    candles = generate("DEMOUSD", "1m", _START_MS, count, seed=1)
    with tempfile.TemporaryDirectory() as folder:
        for suffix, write in (("parquet", _write_parquet), ("csv", _write_csv), ("json", _write_json)):
            path = Path(folder) / f"DEMOUSD-1m.{suffix}"
            write(candles, path)
            command = [sys.executable, "-c", _IMPORT, str(path), f"{folder}/{suffix}"]
            measured = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            print(f"{path.name} of {path.stat().st_size >> 20} MiB: {measured}")
            path.unlink()


def _write_parquet(candles: Candles, path: Path) -> None:
    path.write_bytes(parquet_from_candles(candles))


def _write_csv(candles: Candles, path: Path) -> None:
    with path.open("w") as file:
        file.write("open_time,open,high,low,close,volume\n")
        for rows in _rows(candles):
            file.writelines(f"{time},{','.join(map(repr, values))}\n" for time, *values in rows)


def _write_json(candles: Candles, path: Path) -> None:
    """Klines of twelve fields."""
    with path.open("w") as file:
        separator = "["
        for rows in _rows(candles):
            for time, *values in rows:
                fields = ",".join(f'"{value!r}"' for value in values)
                file.write(f'{separator}[{time},{fields},{time + 59_999},"0",9,"0","0","0"]')
                separator = ","
        file.write("]")


def _rows(candles: Candles) -> Iterator[Iterable[tuple[Any, ...]]]:
    for first in range(0, len(candles), _ROWS_AT_ONCE):
        part = candles[first : first + _ROWS_AT_ONCE]
        yield zip(*(column.tolist() for column in (part.open_time, *part.columns)), strict=True)


if __name__ == "__main__":
    main()
