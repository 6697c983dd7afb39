"""The candle store: what is written stays, whole days for good, and parts of days may grow."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from coinfarm.candle_store.store import CandleStore, SeriesName, WriteOutcome
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS
from coinfarm.candles.interval import interval_ms
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candles.synthetic import generate
from coinfarm.errors import CandleError, Conflict, NotFound, RequestError
from coinfarm.storage import Storage, open_storage
from image_render.windows import Columns
from tests.support.synthetic_candles import MINUTE_MS, START_MS, assert_same_candles, minutes

NEW_YEAR = date(2020, 1, 1)
HOUR_MS = 60 * MINUTE_MS


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(str(tmp_path / "store"))


@pytest.fixture
def store(storage: Storage) -> CandleStore:
    return CandleStore(storage)


def whole_day(**options: object) -> Candles:
    return minutes(1440, **options)  # type: ignore[arg-type]


def part(candles: Candles, first_hour: int, last_hour: int) -> Candles:
    """The candles of `[first_hour, last_hour)` of the day."""
    return candles.between(START_MS + first_hour * HOUR_MS, START_MS + last_hour * HOUR_MS)


def write_part(store: CandleStore, candles: Candles, first_hour: int, last_hour: int, **options: bool) -> WriteOutcome:
    bounds = {"known_from_ms": START_MS + first_hour * HOUR_MS, "known_to_ms": START_MS + last_hour * HOUR_MS}
    return store.write_day(part(candles, first_hour, last_hour), **bounds, **options)  # type: ignore[arg-type]


def write_days(store: CandleStore, candles: Candles) -> None:
    for start_ms in range(int(candles.open_time[0]), int(candles.open_time[-1]) + 1, DAY_MS):
        store.write_day(candles.between(start_ms, start_ms + DAY_MS))


def dearer(candles: Candles, at: int) -> Candles:
    """The same candles, but for one whose close and high are a cent higher."""
    close, high = candles.columns.close.copy(), candles.columns.high.copy()
    close[at] += 0.01
    high[at] += 0.01
    return replace(candles, columns=candles.columns._replace(close=close, high=high))


def test_what_is_written_is_read_back(store: CandleStore, storage: Storage) -> None:
    candles = minutes(3 * 1440, missing=range(2000, 2100))
    write_days(store, candles)
    assert_same_candles(store.read("DEMOUSD", "1m"), candles)
    assert store.days("DEMOUSD", "1m") == [NEW_YEAR, date(2020, 1, 2), date(2020, 1, 3)]
    assert store.series() == [SeriesName("DEMOUSD", "1m")]
    assert next(storage.list()) == store.key("DEMOUSD", "1m", NEW_YEAR) == "candles/symbol=DEMOUSD/interval=1m/date=2020-01-01.parquet"
    assert store.uri("DEMOUSD", "1m", NEW_YEAR).endswith("/store/candles/symbol=DEMOUSD/interval=1m/date=2020-01-01.parquet")


@pytest.mark.parametrize("interval", ["1m", "15m", "4h", "1d"])
def test_every_interval_has_its_grid(store: CandleStore, interval: str) -> None:
    candles = generate("DEMO", interval, START_MS, 2 * DAY_MS // interval_ms(interval), 1)
    write_days(store, candles)
    assert_same_candles(store.read("DEMO", interval), candles)


def test_a_range_takes_parts_of_days(store: CandleStore) -> None:
    candles = minutes(3 * 1440)
    write_days(store, candles)
    start_ms, stop_ms = START_MS + 23 * HOUR_MS, START_MS + DAY_MS + HOUR_MS
    assert_same_candles(store.read("DEMOUSD", "1m", start_ms, stop_ms), candles.between(start_ms, stop_ms))
    assert [len(day) for day in store.read_days("DEMOUSD", "1m", start_ms, stop_ms)] == [60, 60]
    assert len(store.read("DEMOUSD", "1m", 0, START_MS)) == 0
    assert len(store.read("DEMOUSD", "1m", START_MS + 3 * DAY_MS)) == 0


def test_many_days_come_in_order_and_a_reader_may_stop_early(store: CandleStore) -> None:
    write_days(store, generate("DEMO", "4h", START_MS, 6 * 40, 1))
    starts = [int(day.open_time[0]) for day in store.read_days("DEMO", "4h")]
    assert starts == [START_MS + at * DAY_MS for at in range(40)]
    assert int(next(store.read_days("DEMO", "4h")).open_time[0]) == START_MS


def test_the_same_again_changes_nothing(store: CandleStore, storage: Storage) -> None:
    assert store.write_day(whole_day()) is WriteOutcome.NEW
    before = storage.read(store.key("DEMOUSD", "1m", NEW_YEAR))
    assert store.write_day(whole_day()) is WriteOutcome.UNCHANGED
    assert storage.read(store.key("DEMOUSD", "1m", NEW_YEAR)) == before


@pytest.mark.parametrize(
    ("other", "says"),
    [
        pytest.param(dearer(whole_day(), 3), "at 2020-01-01 00:03 .stored open", id="another price"),
        pytest.param(whole_day(missing=[3, 4]), "at 2020-01-01 00:03 .*new no candle.*, and 1 more", id="candles less"),
    ],
)
def test_another_day_is_refused_unless_it_is_to_replace(store: CandleStore, other: Candles, says: str) -> None:
    store.write_day(whole_day())
    with pytest.raises(Conflict, match=f"date=2020-01-01.parquet differs .*{says}.*--replace"):
        store.write_day(other)
    assert_same_candles(store.read("DEMOUSD", "1m"), whole_day())
    assert store.write_day(other, replace=True) is WriteOutcome.REPLACED
    assert_same_candles(store.read("DEMOUSD", "1m"), other)


def test_a_whole_day_takes_no_candle_where_it_had_none(store: CandleStore) -> None:
    store.write_day(whole_day(missing=[1439]))
    with pytest.raises(Conflict, match=r"at 2020-01-01 23:59 [(]stored no candle"):
        store.write_day(whole_day())


def test_parts_of_a_day_grow_together_in_any_order(store: CandleStore) -> None:
    day = whole_day(missing=[0, 719, 720, 1439])
    assert write_part(store, day, 0, 6) is WriteOutcome.NEW
    assert write_part(store, day, 18, 24) is WriteOutcome.EXTENDED
    assert write_part(store, day, 4, 20) is WriteOutcome.EXTENDED
    assert_same_candles(store.read("DEMOUSD", "1m"), day)
    assert store.write_day(day) is WriteOutcome.UNCHANGED


def test_a_whole_day_completes_a_part(store: CandleStore) -> None:
    write_part(store, whole_day(), 6, 12)
    assert store.write_day(whole_day()) is WriteOutcome.EXTENDED
    assert write_part(store, whole_day(), 6, 12) is WriteOutcome.UNCHANGED


def test_a_part_that_differs_where_both_know_is_refused(store: CandleStore) -> None:
    write_part(store, whole_day(), 6, 12)
    with pytest.raises(Conflict, match="at 2020-01-01 11:00 "):
        write_part(store, dearer(whole_day(), 11 * 60), 10, 14)
    write_part(store, dearer(whole_day(), 11 * 60), 12, 14)
    assert write_part(store, dearer(whole_day(), 11 * 60), 10, 14, replace=True) is WriteOutcome.REPLACED
    assert_same_candles(store.read("DEMOUSD", "1m"), part(dearer(whole_day(), 11 * 60), 6, 14))


def test_what_is_known_of_a_part_outlives_the_file(store: CandleStore) -> None:
    """That a minute of it had no trade is knowledge too."""
    write_part(store, whole_day(missing=[400]), 6, 12)
    with pytest.raises(Conflict, match=r"at 2020-01-01 06:40 [(]stored no candle"):
        store.write_day(whole_day())


def test_other_tools_files_are_read_as_whole_days(store: CandleStore, storage: Storage) -> None:
    storage.write(store.key("DEMOUSD", "1m", NEW_YEAR), parquet_from_candles(whole_day()))
    assert_same_candles(store.read("DEMOUSD", "1m"), whole_day())
    assert store.write_day(whole_day()) is WriteOutcome.UNCHANGED


def test_of_two_writers_at_once_both_are_heard(storage: Storage, store: CandleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process writes between our look and our write: at first where there was nothing, then over what we saw."""
    day = whole_day()
    for mine, theirs, written in (((0, 4), (4, 8), WriteOutcome.EXTENDED), ((8, 12), (12, 16), WriteOutcome.EXTENDED)):
        write = type(storage).write

        def raced(*arguments: object, write: Callable[..., str] = write, theirs: tuple[int, int] = theirs, **options: object) -> str:
            monkeypatch.setattr(type(storage), "write", write)
            write_part(store, day, *theirs)
            return write(*arguments, **options)

        monkeypatch.setattr(type(storage), "write", raced)
        assert write_part(store, day, *mine) is written
    assert_same_candles(store.read("DEMOUSD", "1m"), part(day, 0, 16))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(b"", "is not a Parquet file", id="empty"),
        pytest.param(parquet_from_candles(whole_day())[:-9], "is not a Parquet file", id="cut short"),
        pytest.param(parquet_from_candles(minutes(10)[10:]), "there is no candle", id="no candle"),
        pytest.param(parquet_from_candles(dearer(whole_day(), 7)), "", id="good"),
        pytest.param(parquet_from_candles(minutes(1441)), "/candles/1440/openTime: is of 2020-01-02, not of 2020-01-01", id="another day"),
        pytest.param(parquet_from_candles(minutes(20_000)), "has 20,000 rows; a day of 1m has 1,440 candles", id="too many rows"),
    ],
)
def test_a_damaged_day_is_named_and_may_be_replaced(store: CandleStore, storage: Storage, data: bytes, says: str) -> None:
    storage.write(store.key("DEMOUSD", "1m", NEW_YEAR), data)
    if says:
        for use in (lambda: store.read("DEMOUSD", "1m"), lambda: store.write_day(whole_day())):
            with pytest.raises(CandleError, match=f"store/candles/symbol=DEMOUSD/interval=1m/date=2020-01-01.parquet.*{says}"):
                use()
    assert store.write_day(whole_day(), replace=True) is WriteOutcome.REPLACED
    assert_same_candles(store.read("DEMOUSD", "1m"), whole_day())


@pytest.mark.parametrize(
    ("candles", "says"),
    [
        pytest.param(whole_day()[:0], "there is no candle to keep", id="none"),
        pytest.param(minutes(1441), "are of 2020-01-01 up to 2020-01-02: keep one day at a time", id="two days"),
    ],
)
def test_only_candles_of_one_day_are_written(store: CandleStore, candles: Candles, says: str) -> None:
    with pytest.raises(CandleError, match=says):
        store.write_day(candles)


@pytest.mark.parametrize(
    ("symbol", "interval", "says"),
    [
        pytest.param("BTC/USDT", "1m", "'BTC/USDT' is no symbol: .* without a slash", id="slash"),
        pytest.param("..", "1m", "is no symbol", id="traversal"),
        pytest.param("BTCUSDT", "7m", "'7m'", id="interval off the day"),
    ],
)
def test_a_key_has_a_symbol_and_an_interval_that_can_be(store: CandleStore, symbol: str, interval: str, says: str) -> None:
    with pytest.raises(RequestError, match=says):
        store.key(symbol, interval, NEW_YEAR)


def test_what_is_not_there_is_told_with_what_is(store: CandleStore) -> None:
    assert store.series() == []
    assert store.days("DEMOUSD", "1m") == []
    with pytest.raises(NotFound, match="has no 1m candles of BTCUSDT; the store has no candles"):
        store.read("BTCUSDT", "1m")
    store.write_day(whole_day())
    with pytest.raises(NotFound, match="has no 1h candles of DEMOUSD; the store has DEMOUSD 1m"):
        store.read("DEMOUSD", "1h")


def test_other_files_in_the_store_are_passed_over(store: CandleStore, storage: Storage) -> None:
    store.write_day(whole_day())
    storage.write("candles/notes.txt", b"")
    storage.write("candles/symbol=DEMOUSD/interval=1m/notes.txt", b"")
    assert store.series() == [("DEMOUSD", "1m")]
    assert store.days("DEMOUSD", "1m") == [NEW_YEAR]


def test_candles_are_read_as_other_tools_read_them(store: CandleStore, storage: Storage) -> None:
    """The columns are those of every candle file, for a part of a day too."""
    import io

    import pyarrow.parquet as pq

    write_part(store, whole_day(), 6, 12)
    table = pq.read_table(io.BytesIO(storage.read(store.key("DEMOUSD", "1m", NEW_YEAR)).data))
    assert table.column_names == ["open_time", *Columns._fields]
    np.testing.assert_array_equal(table["open_time"].to_numpy(), part(whole_day(), 6, 12).open_time)
