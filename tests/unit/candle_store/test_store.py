from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from coinfarm.candle_store.series_folders import SeriesName
from coinfarm.candle_store.store import CandleStore, WriteOutcome
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS
from coinfarm.candles.interval import interval_ms
from coinfarm.candles.synthetic import generate
from coinfarm.errors import CandleError, Conflict, InvalidInput, NotFound
from coinfarm.storage import Storage
from tests.support.synthetic_candles import MINUTE_MS, START_MS, assert_same_candles, minutes

NEW_YEAR = date(2020, 1, 1)
HOUR_MS = 60 * MINUTE_MS


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


def with_higher_close(candles: Candles, at: int) -> Candles:
    """The same candles, except for one whose close and high are a cent higher."""
    close, high = candles.columns.close.copy(), candles.columns.high.copy()
    close[at] += 0.01
    high[at] += 0.01
    return replace(candles, columns=candles.columns._replace(close=close, high=high))


def test_reads_what_was_written(store: CandleStore, storage: Storage) -> None:
    candles = minutes(3 * 1440, missing=range(2000, 2100))
    write_days(store, candles)
    assert_same_candles(store.read("DEMOUSD", "1m"), candles)
    assert store.days("DEMOUSD", "1m") == [NEW_YEAR, date(2020, 1, 2), date(2020, 1, 3)]
    assert store.series() == [SeriesName("DEMOUSD", "1m")]
    assert next(storage.list()) == store.key("DEMOUSD", "1m", NEW_YEAR) == "candles/symbol=DEMOUSD/interval=1m/date=2020-01-01.parquet"
    assert store.uri("DEMOUSD", "1m", NEW_YEAR).endswith("/store/candles/symbol=DEMOUSD/interval=1m/date=2020-01-01.parquet")


@pytest.mark.parametrize("interval", ["1m", "4h", "1d"])
def test_stores_every_interval_and_reads_days_in_order(store: CandleStore, interval: str) -> None:
    candles = generate("DEMO", interval, START_MS, 20 * DAY_MS // interval_ms(interval), 1)
    write_days(store, candles)
    assert_same_candles(store.read("DEMO", interval), candles)
    assert int(next(store.read_days("DEMO", interval)).open_time[0]) == START_MS, "a reader can stop early"


def test_reads_a_range_that_begins_and_ends_within_a_day(store: CandleStore) -> None:
    candles = minutes(3 * 1440)
    write_days(store, candles)
    start_ms, stop_ms = START_MS + 23 * HOUR_MS, START_MS + DAY_MS + HOUR_MS
    assert_same_candles(store.read("DEMOUSD", "1m", start_ms, stop_ms), candles.between(start_ms, stop_ms))
    assert [len(day) for day in store.read_days("DEMOUSD", "1m", start_ms, stop_ms)] == [60, 60]
    assert len(store.read("DEMOUSD", "1m", 0, START_MS)) == 0
    assert len(store.read("DEMOUSD", "1m", START_MS + 3 * DAY_MS)) == 0


def test_writing_the_same_candles_again_changes_nothing(store: CandleStore, storage: Storage) -> None:
    assert store.write_day(whole_day()) is WriteOutcome.NEW
    before = storage.read(store.key("DEMOUSD", "1m", NEW_YEAR))
    assert store.write_day(whole_day()) is WriteOutcome.UNCHANGED
    assert storage.read(store.key("DEMOUSD", "1m", NEW_YEAR)) == before


@pytest.mark.parametrize(
    ("other", "named"),
    [
        pytest.param(with_higher_close(whole_day(), 3), "2020-01-01 00:03", id="another price"),
        pytest.param(whole_day(missing=[3, 4]), "2020-01-01 00:03 .* 1 more", id="fewer candles"),
    ],
)
def test_rejects_other_candles_of_a_stored_day_unless_they_replace_it(store: CandleStore, other: Candles, named: str) -> None:
    store.write_day(whole_day())
    with pytest.raises(Conflict, match=f"date=2020-01-01.parquet .*{named}.*--replace"):
        store.write_day(other)
    assert_same_candles(store.read("DEMOUSD", "1m"), whole_day())
    assert store.write_day(other, replace=True) is WriteOutcome.REPLACED
    assert_same_candles(store.read("DEMOUSD", "1m"), other)


def test_only_unknown_minutes_are_added(store: CandleStore) -> None:
    write_part(store, whole_day(missing=[400]), 6, 12)
    with pytest.raises(Conflict, match="2020-01-01 06:40"):
        store.write_day(whole_day())
    assert store.write_day(whole_day(missing=[400, 1439])) is WriteOutcome.EXTENDED
    assert write_part(store, whole_day(missing=[400]), 6, 12) is WriteOutcome.UNCHANGED
    with pytest.raises(Conflict, match="2020-01-01 23:59"):
        store.write_day(whole_day(missing=[400]))


def test_parts_of_a_day_are_merged_in_any_order(store: CandleStore) -> None:
    day = whole_day(missing=[0, 719, 720, 1439])
    assert write_part(store, day, 0, 6) is WriteOutcome.NEW
    assert write_part(store, day, 18, 24) is WriteOutcome.EXTENDED
    assert write_part(store, day, 4, 20) is WriteOutcome.EXTENDED
    assert_same_candles(store.read("DEMOUSD", "1m"), day)
    assert store.write_day(day) is WriteOutcome.UNCHANGED


def test_rejects_a_part_that_differs_where_both_are_known(store: CandleStore) -> None:
    write_part(store, whole_day(), 6, 12)
    with pytest.raises(Conflict, match="2020-01-01 11:00"):
        write_part(store, with_higher_close(whole_day(), 11 * 60), 10, 14)
    write_part(store, with_higher_close(whole_day(), 11 * 60), 12, 14)
    assert write_part(store, with_higher_close(whole_day(), 11 * 60), 10, 14, replace=True) is WriteOutcome.REPLACED
    assert_same_candles(store.read("DEMOUSD", "1m"), part(with_higher_close(whole_day(), 11 * 60), 6, 14))


def test_concurrent_writes_of_parts_are_merged(storage: Storage, store: CandleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process writes between the read and the write: first a new day, then a change of an existing one."""
    day = whole_day()
    for ours, theirs in (((0, 4), (4, 8)), ((8, 12), (12, 16))):
        write = type(storage).write

        def write_after_another(
            *arguments: object, write: Callable[..., str] = write, theirs: tuple[int, int] = theirs, **options: object
        ) -> str:
            monkeypatch.setattr(type(storage), "write", write)
            write_part(store, day, *theirs)
            return write(*arguments, **options)

        monkeypatch.setattr(type(storage), "write", write_after_another)
        assert write_part(store, day, *ours) is WriteOutcome.EXTENDED
    assert_same_candles(store.read("DEMOUSD", "1m"), part(day, 0, 16))


def test_rejects_candles_of_no_day_or_several_and_invalid_names(store: CandleStore) -> None:
    for candles, named in ((whole_day()[:0], ""), (minutes(1441), "2020-01-01 .*2020-01-02")):
        with pytest.raises(CandleError, match=f"^/candles: .*{named}"):
            store.write_day(candles)
    names = [("BTC//USDT", "1m", "/symbol: 'BTC//USDT' "), ("..", "1m", "/symbol: "), ("BTCUSDT", "7m", "/interval: '7m' ")]
    for symbol, interval, error in names:
        with pytest.raises(InvalidInput, match=f"^{error}"):
            store.key(symbol, interval, NEW_YEAR)


def test_an_unknown_series_is_reported_with_the_existing_ones(store: CandleStore) -> None:
    assert store.series() == []
    assert store.days("DEMOUSD", "1m") == []
    with pytest.raises(NotFound, match=r"1m .*BTCUSDT"):
        store.read("BTCUSDT", "1m")
    store.write_day(whole_day())
    with pytest.raises(NotFound, match=r"1h .*DEMOUSD.*DEMOUSD 1m from 2020-01-01 to 2020-01-01"):
        store.read("DEMOUSD", "1h")


def test_lists_other_files_apart(store: CandleStore, storage: Storage) -> None:
    store.write_day(whole_day())
    storage.write("candles/notes.txt", b"")
    storage.write("candles/symbol=DEMOUSD/interval=1m/notes.txt", b"")
    assert store.series() == [("DEMOUSD", "1m")]
    assert store.days("DEMOUSD", "1m") == [NEW_YEAR]
    assert [Path(uri).name for uri in store.unrecognised_files()] == ["notes.txt", "notes.txt"]
