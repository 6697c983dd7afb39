"""The files of a candle store, as the store and other tools read and write them."""

import io
from datetime import date

import numpy as np
import pyarrow.parquet as pq
import pytest

from coinfarm.candle_store.store import CandleStore, WriteOutcome
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.errors import CandleError
from coinfarm.storage import Storage
from image_render.windows import Columns
from tests.support.synthetic_candles import MINUTE_MS, START_MS, assert_same_candles, minutes

DAY = date(2020, 1, 1)


def test_a_file_of_another_tool_is_read_as_a_complete_day(store: CandleStore, storage: Storage) -> None:
    storage.write(store.key("DEMOUSD", "1m", DAY), parquet_from_candles(minutes(1440)))
    assert_same_candles(store.read("DEMOUSD", "1m"), minutes(1440))
    assert store.write_day(minutes(1440)) is WriteOutcome.UNCHANGED


def test_the_file_of_an_incomplete_day_has_the_columns_of_every_candle_file(store: CandleStore, storage: Storage) -> None:
    candles = minutes(720)[360:]
    store.write_day(candles, known_from_ms=START_MS + 360 * MINUTE_MS, known_to_ms=START_MS + 720 * MINUTE_MS)
    table = pq.read_table(io.BytesIO(storage.read(store.key("DEMOUSD", "1m", DAY)).data))
    assert table.column_names == ["open_time", *Columns._fields]
    np.testing.assert_array_equal(table["open_time"].to_numpy(), candles.open_time)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        pytest.param(b"", "Parquet", id="empty"),
        pytest.param(parquet_from_candles(minutes(1440))[:-9], "Parquet", id="truncated"),
        pytest.param(parquet_from_candles(minutes(10)[10:]), "", id="no candle"),
        pytest.param(parquet_from_candles(minutes(1441)), "/candles/1440/openTime: .*2020-01-02", id="another day"),
        pytest.param(parquet_from_candles(minutes(20_000)), "20,000 rows", id="too many rows"),
    ],
)
def test_a_damaged_file_is_named_and_can_be_replaced(store: CandleStore, storage: Storage, data: bytes, named: str) -> None:
    storage.write(store.key("DEMOUSD", "1m", DAY), data)
    for use in (lambda: store.read("DEMOUSD", "1m"), lambda: store.write_day(minutes(1440))):
        with pytest.raises(CandleError, match=f"store/candles/symbol=DEMOUSD/interval=1m/date=2020-01-01.parquet.*{named}"):
            use()
    assert store.write_day(minutes(1440), replace=True) is WriteOutcome.REPLACED
    assert_same_candles(store.read("DEMOUSD", "1m"), minutes(1440))
