"""One spelling of symbols and intervals; stores of earlier versions may have another."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from coinfarm.candle_store.series_folders import SeriesFolders
from coinfarm.candle_store.snapshot import CandleStoreSnapshot
from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.day import DAY_MS
from coinfarm.errors import Conflict
from coinfarm.storage import Storage
from tests.support.synthetic_candles import START_MS, assert_same_candles, hours

HOURS = replace(hours(2), symbol="BTCUSDT")
DAYS = [date(2020, 1, 1), date(2020, 1, 2)]
SPELLINGS = [("BTC/USDT", "60m"), ("btc_usdt", "1H"), ("BTC-USDT", "1h"), ("BTCUSDT", "1h")]


def move(storage: Storage, to_symbol: str, to_interval: str, *, only: str = "") -> None:
    """Give the folder of the series another name, as an earlier version wrote it."""
    for key in list(storage.list(f"candles/symbol=BTCUSDT/interval=1h/{only}")):
        storage.write(key.replace("symbol=BTCUSDT/interval=1h", f"symbol={to_symbol}/interval={to_interval}"), storage.read(key).data)
        Path(storage.uri(key)).unlink()


def write(store: CandleStore, symbol: str, interval: str, days: range = range(2)) -> None:
    for day in days:
        candles = HOURS.between(START_MS + day * DAY_MS, START_MS + (day + 1) * DAY_MS)
        store.write_day(replace(candles, symbol=symbol, interval=interval))


@pytest.mark.parametrize(("symbol", "interval"), SPELLINGS)
def test_every_spelling_is_written_to_and_read_from_one_folder(store: CandleStore, storage: Storage, symbol: str, interval: str) -> None:
    write(store, symbol, interval)
    assert {key.rpartition("/")[0] for key in storage.list()} == {"candles/symbol=BTCUSDT/interval=1h"}
    for spelled in SPELLINGS:
        assert_same_candles(CandleStore(storage).read(*spelled), HOURS)
        assert_same_candles(CandleStoreSnapshot(storage).between(*spelled, START_MS, START_MS + 2 * DAY_MS), HOURS)


@pytest.mark.parametrize(("symbol", "interval"), [("BTCUSDT", "60m"), ("BTC-USDT", "1h"), ("btcusdt", "60m")])
def test_a_store_with_another_spelling_is_still_read_and_continued(
    store: CandleStore, storage: Storage, symbol: str, interval: str
) -> None:
    write(store, "BTCUSDT", "1h", range(1))
    move(storage, symbol, interval)
    reopened = CandleStore(storage)
    assert reopened.series() == [("BTCUSDT", "1h")]
    assert_same_candles(reopened.read("BTC/USDT", "1h"), HOURS.between(None, START_MS + DAY_MS))
    write(reopened, "BTCUSDT", "1h")
    assert_same_candles(CandleStore(storage).read("BTCUSDT", "1h"), HOURS)
    assert {key.rpartition("/")[0] for key in storage.list()} == {f"candles/symbol={symbol}/interval={interval}"}


def test_a_series_under_two_intervals_is_refused_with_both_folders(store: CandleStore, storage: Storage) -> None:
    write(store, "BTCUSDT", "1h")
    move(storage, "BTCUSDT", "60m", only="date=2020-01-02")
    for use in (lambda store: store.read("BTCUSDT", "60m"), lambda store: write(store, "BTCUSDT", "1h")):
        with pytest.raises(Conflict, match=r"interval=1h .*interval=60m"):
            use(CandleStore(storage))


def test_lists_series_in_several_folders(store: CandleStore, storage: Storage) -> None:
    write(store, "BTCUSDT", "1h")
    assert SeriesFolders(storage).conflicts() == []
    move(storage, "BTC-USDT", "60m", only="date=2020-01-02")
    (conflict,) = SeriesFolders(storage).conflicts()
    assert all(folder in conflict for folder in ("symbol=BTC-USDT/interval=60m", "symbol=BTCUSDT/interval=1h"))
