"""Parquet and Feather files in tables of at least a number of rows."""

import tempfile
from collections.abc import Callable, Iterator
from typing import IO

import numpy as np
import pytest

from coinfarm.candles.arrow_parts import feather_parts, parquet_parts
from coinfarm.candles.candles import Candles
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candles.sources.container import Limits
from coinfarm.candles.sources.raw_table import RawTable
from coinfarm.errors import TooLarge
from tests.support.candle_writers import feather_from, texts_in_parquet_from
from tests.support.synthetic_candles import minutes

CANDLES = minutes(5000)
Parts = Callable[[IO[bytes], int, Limits], Iterator[RawTable]]
KINDS = [
    pytest.param(parquet_parts, parquet_from_candles, id="Parquet"),
    pytest.param(parquet_parts, texts_in_parquet_from, id="Parquet with texts"),
    pytest.param(feather_parts, feather_from, id="Feather"),
]


@pytest.fixture
def open_file() -> Iterator[Callable[[bytes], IO[bytes]]]:
    with tempfile.TemporaryFile() as file:

        def write(data: bytes) -> IO[bytes]:
            file.write(data)
            file.seek(0)
            return file

        yield write


@pytest.mark.parametrize("rows", [1000, 2400, 5000, 9000])
@pytest.mark.parametrize(("parts", "write"), KINDS)
def test_the_tables_have_all_rows_and_the_last_also_what_is_left(
    parts: Parts, write: Callable[[Candles], bytes], rows: int, open_file: Callable[[bytes], IO[bytes]]
) -> None:
    tables = list(parts(open_file(write(CANDLES)), rows, Limits(10_000)))
    lengths = [len(table) for table in tables]
    assert sum(lengths) == len(CANDLES)
    assert min(lengths) >= min(rows, len(CANDLES))
    assert len(tables) >= 3 if rows == 1000 else len(tables) <= 2
    names = tables[0].names
    assert names is not None
    at = names.index("close")
    np.testing.assert_allclose(np.concatenate([table.columns[at].values for table in tables]), CANDLES.columns.close, rtol=1e-12)


@pytest.mark.parametrize(("parts", "write"), KINDS)
def test_more_bytes_than_the_limit_are_not_unpacked(
    parts: Parts, write: Callable[[Candles], bytes], open_file: Callable[[bytes], IO[bytes]]
) -> None:
    with pytest.raises(TooLarge):
        next(parts(open_file(write(CANDLES)), 1000, Limits(10_000, 20_000)))
