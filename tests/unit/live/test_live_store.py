import math

import pyarrow.parquet as pq
import pytest

from coinfarm.candles.day import DAY_MS
from coinfarm.errors import CoinfarmError, Conflict
from coinfarm.live.live_rows import has_prediction, live_rows
from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.storage.folder import FolderStorage
from tests.support.synthetic_candles import MINUTE_MS, START_MS

FEED = LiveFeed("binanceus", "1m")
KEY = "live/exchange=binanceus/interval=1m/date=2020-01-01.parquet"


def row(at, symbol="BTCUSDT", close=7000.0, **columns):
    open_time = START_MS + at * MINUTE_MS
    candle = {"open": 7000.0, "high": 7010.0, "low": 6990.0, "close": close, "volume": 1.5}
    times = {"symbol": symbol, "open_time": open_time, "close_time": open_time + MINUTE_MS - 1, "filled": False, "filled_candles": 0}
    return times | candle | columns


def predicted(at, symbol="BTCUSDT", **columns):
    values = {"max_rise_pct": 0.5, "max_decline_pct": -0.4, "end_change_pct": 0.1}
    return row(at, symbol, **{"model_version": "v1", "predicted_at": 7, "in_sample": False} | values | columns)


@pytest.fixture
def store(tmp_path):
    return LiveStore(FolderStorage(tmp_path))


def times(table):
    return [(each["symbol"], (each["open_time"] - START_MS) // MINUTE_MS) for each in table.to_pylist()]


def test_appends_and_reads_rows_in_order_of_time_and_symbol(store):
    store.append(FEED, live_rows([predicted(1, "ETHUSDT"), predicted(0, "ETHUSDT")]))
    store.append(FEED, live_rows([predicted(1), predicted(0)]))
    assert times(store.read(FEED)) == [("BTCUSDT", 0), ("ETHUSDT", 0), ("BTCUSDT", 1), ("ETHUSDT", 1)]
    assert store.feeds() == [FEED]


def test_returns_only_the_rows_that_are_new(store):
    store.append(FEED, live_rows([predicted(0), predicted(1)]))
    new = store.append(FEED, live_rows([predicted(1, max_rise_pct=9.0), predicted(2), predicted(2)]))
    assert times(new) == [("BTCUSDT", 2)]
    assert store.read(FEED)["max_rise_pct"].to_pylist() == [0.5, 0.5, 0.5]


def test_drops_a_candle_older_than_the_last_of_its_symbol(store):
    store.append(FEED, live_rows([predicted(5)]))
    assert times(store.append(FEED, live_rows([predicted(4), predicted(4, "ETHUSDT")]))) == [("ETHUSDT", 4)]


def test_a_second_writer_sees_the_rows_of_the_first(store, tmp_path):
    other = LiveStore(FolderStorage(tmp_path))
    store.append(FEED, live_rows([predicted(0)]))
    other.append(FEED, live_rows([predicted(1)]))
    assert not len(store.append(FEED, live_rows([predicted(1)])))
    assert times(store.append(FEED, live_rows([predicted(2)]))) == [("BTCUSDT", 2)]
    assert times(other.read(FEED)) == [("BTCUSDT", 0), ("BTCUSDT", 1), ("BTCUSDT", 2)]


def test_reports_writers_that_never_stop(store, monkeypatch):
    def conflict(*_arguments, **_options):
        raise Conflict("changed")

    monkeypatch.setattr(FolderStorage, "write", conflict)
    with pytest.raises(Conflict, match="other writers"):
        store.append(FEED, live_rows([predicted(0)]))


def test_writes_a_file_per_day_and_reads_a_period(store):
    store.append(FEED, live_rows([predicted(at) for at in (1438, 1439, 1440, 1441)]))
    assert [day.isoformat() for day in store.days(FEED)] == ["2020-01-01", "2020-01-02"]
    rows = store.read(FEED, START_MS + 1439 * MINUTE_MS, START_MS + DAY_MS + MINUTE_MS)
    assert times(rows) == [("BTCUSDT", 1439), ("BTCUSDT", 1440)]
    assert not len(store.read(FEED, symbols=["LTCUSDT"]))


def test_a_row_without_a_prediction(store):
    store.append(FEED, live_rows([row(0), predicted(1)]))
    without, with_prediction = store.read(FEED).to_pylist()
    assert math.isnan(without["end_change_pct"])
    assert without["model_version"] is without["predicted_at"] is without["in_sample"] is None
    assert [has_prediction(without), has_prediction(with_prediction)] == [False, True]


def test_models_of_different_horizons_share_a_day(store):
    store.append(FEED, live_rows([predicted(0)]))
    further = {"max_rise_pct_h100": 2.0, "max_decline_pct_h100": -1.0, "end_change_pct_h100": 0.0}
    store.append(FEED, live_rows([predicted(1, **further)], [100]))
    store.append(FEED, live_rows([predicted(2)]))
    first, second, third = store.read(FEED)["max_rise_pct_h100"].to_pylist()
    assert second == 2.0
    assert math.isnan(first)
    assert math.isnan(third)


def test_a_correction_changes_the_candle_and_keeps_the_prediction(store):
    store.append(FEED, live_rows([predicted(0), predicted(1)]))
    correction = live_rows([row(0, close=7005.0, corrected_at=9), row(1, corrected_at=9), row(3, corrected_at=9)])
    assert times(store.correct(FEED, correction)) == [("BTCUSDT", 0)]
    corrected, unchanged = store.read(FEED).to_pylist()
    assert (corrected["close"], corrected["corrected_at"], corrected["max_rise_pct"]) == (7005.0, 9, 0.5)
    assert (unchanged["close"], unchanged["corrected_at"]) == (7000.0, None)


@pytest.mark.parametrize("damage", [lambda data: data[:-20], lambda data: data[:60] + bytes(30) + data[90:]])
def test_names_a_damaged_file(store, tmp_path, damage):
    store.append(FEED, live_rows([predicted(at) for at in range(50)]))
    path = tmp_path / KEY
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CoinfarmError, match=r"2020-01-01\.parquet is damaged"):
        LiveStore(FolderStorage(tmp_path)).read(FEED)


def test_does_not_take_a_file_with_other_columns(store, tmp_path):
    store.append(FEED, live_rows([predicted(0)]))
    pq.write_table(pq.read_table(tmp_path / KEY, partitioning=None).drop_columns(["filled"]), tmp_path / KEY)
    with pytest.raises(CoinfarmError, match="columns of a live store"):
        LiveStore(FolderStorage(tmp_path)).append(FEED, live_rows([predicted(1)]))


def test_ignores_other_files(store, tmp_path):
    store.append(FEED, live_rows([predicted(0)]))
    (tmp_path / "live" / "notes.txt").write_text("mine")
    (tmp_path / KEY).with_name("date=2020-13-01.parquet").write_bytes(b"")
    assert len(store.read(FEED)) == 1
