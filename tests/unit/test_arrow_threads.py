"""Arrow's thread pool stays unused: a process that exits while the pool starts a thread is aborted (apache/arrow issue 34314)."""

import subprocess
import sys

import pytest

from tests.support.repository import ROOT

READ_AND_WRITE = """
import os, sys
from pathlib import Path
import pyarrow.csv, pyarrow.ipc, pyarrow.parquet
threads = lambda: len(os.listdir("/proc/self/task"))
before = threads()

from coinfarm.backtesting.reporting.export import _write_feather
from coinfarm.candles.files import parse_candles
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candle_store.day_file import unchecked_columns
from coinfarm.candles.synthetic import generate

candles = generate("DEMOUSD", "1m", 1_767_225_600_000, 5000, seed=1)
path = Path(sys.argv[1]) / "DEMOUSD-1m.parquet"
path.write_bytes(parquet_from_candles(candles))
for _ in range(3):
    assert len(parse_candles(path.read_bytes(), path.name)) == 5000
    unchecked_columns(path.read_bytes(), "1m")
    _write_feather(pyarrow.parquet.read_schema(path).empty_table(), path.with_suffix(".feather"))
print(threads() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
def test_parquet_and_feather_start_no_threads(tmp_path):
    done = subprocess.run([sys.executable, "-c", READ_AND_WRITE, tmp_path], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
