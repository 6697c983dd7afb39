"""`coinfarm history import`."""

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from coinfarm.candles.parquet_file import parquet_from_candles
from tests.support.synthetic_candles import minutes

History = Callable[..., Result]


def test_imports_files_and_names_the_invalid_one(history: History) -> None:
    Path("DEMOUSD-1m.parquet").write_bytes(parquet_from_candles(minutes(2000)))
    Path("bad-1m.csv").write_text("time,price\n1,2\n")
    shown = history("import", "bad-1m.csv", "DEMOUSD-1m.parquet")
    assert (shown.exit_code, shown.stdout.count("\n"), "bad-1m.csv" in shown.stderr) == (1, 1, True)
    again = history("import", "DEMOUSD-1m.parquet", "--json")
    (imported,) = json.loads(again.stdout)
    assert (imported["file"], imported["candles"], imported["refused"]) == ("DEMOUSD-1m.parquet", 2000, [])
    assert imported["days"] == {"new": 0, "grown": 0, "same": 2, "replaced": 0}
