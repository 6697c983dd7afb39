from datetime import date
from pathlib import Path

import pytest

from coinfarm.candle_store.snapshot import CandleStoreSnapshot
from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.day import DAY_MS, by_day
from coinfarm.errors import NotFound
from coinfarm.storage import open_storage
from tests.support.synthetic_candles import MINUTE_MS, START_MS, assert_same_candles, minutes

CANDLES = minutes(3 * 1440, missing=[*range(1440, 2880)])
FIRST_DAY, THIRD_DAY = date(2020, 1, 1), date(2020, 1, 3)


@pytest.fixture
def snapshot(tmp_path: Path) -> CandleStoreSnapshot:
    storage = open_storage(str(tmp_path))
    for day in by_day(CANDLES):
        CandleStore(storage).write_day(day)
    return CandleStoreSnapshot(storage)


def test_days_added_after_the_listing_are_not_seen(snapshot: CandleStoreSnapshot, tmp_path: Path) -> None:
    assert snapshot.days("DEMOUSD", "1m") == [FIRST_DAY, THIRD_DAY]
    CandleStore(open_storage(str(tmp_path))).write_day(minutes(2 * 1440)[1440:])
    assert snapshot.days("DEMOUSD", "1m") == [FIRST_DAY, THIRD_DAY]
    assert_same_candles(snapshot.between("DEMOUSD", "1m", START_MS, START_MS + 3 * DAY_MS), CANDLES)


def test_finds_the_last_candle_before_a_gap_and_whether_there_are_later_days(snapshot: CandleStoreSnapshot) -> None:
    (open_time,) = snapshot.last_candle_before("DEMOUSD", "1m", START_MS + 2 * DAY_MS).open_time
    assert open_time == START_MS + DAY_MS - MINUTE_MS
    assert len(snapshot.last_candle_before("DEMOUSD", "1m", START_MS)) == 0
    assert [snapshot.has_days_after("DEMOUSD", "1m", day) for day in (FIRST_DAY, THIRD_DAY)] == [True, False]


def test_an_unknown_series_is_reported_with_the_existing_ones(snapshot: CandleStoreSnapshot) -> None:
    with pytest.raises(NotFound, match=r"BTCUSD.*DEMOUSD 1m from 2020-01-01 to 2020-01-03"):
        snapshot.days("BTCUSD", "1m")
