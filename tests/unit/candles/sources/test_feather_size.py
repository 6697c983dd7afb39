"""The declared sizes of Feather files."""

import io

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather

from coinfarm.candles.sources import feather_size
from coinfarm.candles.sources.feather_size import unpacked_bytes
from tests.support.damaged_copies import damaged_copies

NUMBERS = pa.table({"a": np.zeros(10_000), "b": np.random.default_rng(1).random(10_000)})
TEXTS = pa.table({"text": pa.array(["x", "yy"] * 1000).dictionary_encode(), "gap": pa.array([1, None] * 1000)})


def written(table, compression, rows=3000):
    file = io.BytesIO()
    feather.write_feather(table, file, compression=compression, chunksize=rows)
    return file.getvalue()


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
@pytest.mark.parametrize("table", [NUMBERS, TEXTS], ids=["numbers", "texts"])
def test_is_the_size_of_the_table_in_memory(table, compression):
    assert unpacked_bytes(written(table, compression)) == pytest.approx(table.nbytes, rel=0.01)


def test_other_bytes_are_rejected():
    for data in (b"ARROW1", b"ARROW1" + b"\xf0" * 100 + b"ARROW1"):
        with pytest.raises(ValueError, match="damaged"):
            unpacked_bytes(data)


def test_damaged_files_are_rejected_or_measured():
    data = written(NUMBERS[:10], "lz4")
    for damaged in damaged_copies(data, range(len(data) - 400, len(data))):
        try:
            assert isinstance(unpacked_bytes(damaged), int)
        except ValueError:
            continue


def test_the_number_of_buffers_is_limited(monkeypatch):
    monkeypatch.setattr(feather_size, "_MAX_BUFFERS", 7)
    assert unpacked_bytes(written(NUMBERS, "lz4", 10_000))
    with pytest.raises(ValueError, match="buffers"):
        unpacked_bytes(written(NUMBERS, "lz4", 5000))
