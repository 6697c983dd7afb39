"""Downloads with the real ccxt client from a fake exchange, with and without faults."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coinfarm.candle_store.download import DownloadResult, download
from coinfarm.candle_store.exchange import MAX_ATTEMPTS, Exchange
from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.day import DAY_MS
from coinfarm.candles.json_rows import rows_from_candles
from coinfarm.candles.resampled_candles import resample
from coinfarm.candles.synthetic import generate
from coinfarm.errors import CoinfarmError
from coinfarm.storage import open_storage
from tests.support.fake_exchange import (
    DAYS,
    FIRST,
    HISTORY,
    STOP,
    TOO_MANY_REQUESTS,
    FakeBinanceUs,
    expected_candles,
    klines_of,
)
from tests.support.http_server import Respond, disconnect, response
from tests.support.synthetic_candles import START_MS, assert_same_candles

Fetch = Callable[..., DownloadResult]


@pytest.fixture
def waits() -> list[float]:
    """The pauses in seconds between attempts."""
    return []


@pytest.fixture
def fetch(binance: FakeBinanceUs, store: CandleStore, waits: list[float]) -> Fetch:
    def fetch(first: date = FIRST, stop: date | None = STOP, **options: Any) -> DownloadResult:
        exchange = Exchange("binanceus", binance.url, lambda seconds, _: waits.append(seconds))
        exchange._ccxt.rateLimit = 0
        (result,) = download(store, exchange, ["BTC/USDT"], ["1m"], first, stop, **options)
        return result

    return fetch


def test_stores_every_day(fetch: Fetch, store: CandleStore, binance: FakeBinanceUs) -> None:
    progress: list[tuple[int, int]] = []
    result = fetch(progress=lambda *days: progress.append(days))
    assert_same_candles(store.read("BTCUSDT", "1m"), expected_candles())
    assert (result.stored, result.candles) == (DAYS, len(expected_candles()))
    assert (result.first_ms, result.rejected, result.unfinished) == (None, [], [])
    assert progress == [(1, 3), (2, 3), (3, 3)]
    assert {query["limit"] for query in binance.queries} == {"1000"}
    assert len(binance.queries) == 4, "pages may contain several days"


def test_several_symbols_and_intervals_are_fetched_one_after_the_other(store: CandleStore, binance: FakeBinanceUs) -> None:
    exchange = Exchange("binanceus", binance.url)
    exchange._ccxt.rateLimit = 0
    hours, ether = (resample(HISTORY, "1h", START_MS), generate("DEMO", "1m", START_MS, 3 * 1440, 2))
    binance.other_rows = {("BTCUSDT", "1h"): klines_of(hours), ("ETHUSDT", "1m"): klines_of(ether), ("ETHUSDT", "1h"): []}
    shown: list[tuple[int, int]] = []
    arguments = store, exchange, ["btc-usdt", "ETHUSDT", "BTC/USDT"], ["60m", "1m"], FIRST, STOP
    results = download(*arguments, progress=lambda *days: shown.append(days))
    assert [(each.symbol, each.interval) for each in results] == [
        (symbol, interval) for symbol in ("BTCUSDT", "ETHUSDT") for interval in ("1m", "1h")
    ]
    assert [len(each.stored) for each in results] == [3, 3, 3, 0]
    assert shown == [(done, 12) for done in range(1, 13)]
    assert_same_candles(store.read("BTCUSDT", "1m"), expected_candles())
    np.testing.assert_array_equal(store.read("BTCUSDT", "1h").columns, hours.between(None, START_MS + 3 * DAY_MS).columns)
    np.testing.assert_array_equal(store.read("ETHUSDT", "1m").columns, ether.columns)
    binance.queries.clear()
    assert [len(each.already_stored) for each in download(*arguments)] == [3, 3, 3, 0]
    assert {(query["symbol"], query["interval"]) for query in binance.queries} == {("ETHUSDT", "1h")}


def test_an_unknown_symbol_is_reported_before_anything_is_fetched(store: CandleStore, binance: FakeBinanceUs) -> None:
    exchange = Exchange("binanceus", binance.url)
    with pytest.raises(CoinfarmError, match="LTC/USDT"):
        download(store, exchange, ["BTC/USDT", "LTC/USDT"], ["1m"], FIRST, STOP)
    assert (binance.queries, store.series()) == ([], [])


def test_requests_only_days_that_are_not_stored(fetch: Fetch, store: CandleStore, binance: FakeBinanceUs) -> None:
    """Missing minutes at midnight do not make a day incomplete."""
    fetch(FIRST, DAYS[1])
    fetch(DAYS[2], STOP)
    binance.queries.clear()
    result = fetch()
    assert (result.already_stored, result.stored) == ([DAYS[0], DAYS[2]], [DAYS[1]])
    assert {int(query["startTime"]) // DAY_MS for query in binance.queries} == {START_MS // DAY_MS + 1}
    assert_same_candles(store.read("BTCUSDT", "1m"), expected_candles())
    binance.queries.clear()
    assert fetch().already_stored == DAYS
    assert binance.queries == []


@pytest.mark.parametrize("now_ms", [START_MS + 2 * DAY_MS + 3_600_000, START_MS + 3 * DAY_MS + 30_000], ids=["evening", "midnight"])
def test_unfinished_day_is_not_stored(now_ms: int, fetch: Fetch, store: CandleStore, binance: FakeBinanceUs) -> None:
    """The exchange's clock decides, with a minute for its last trades."""
    binance.now_ms = now_ms
    assert fetch().unfinished == [DAYS[2]]
    assert store.days("BTCUSDT", "1m") == DAYS[:2]
    binance.now_ms = START_MS + 4 * DAY_MS
    result = fetch()
    assert (result.already_stored, result.stored, result.unfinished) == (DAYS[:2], DAYS[2:], [])


def test_days_before_the_first_candle_are_reported_and_requested_again(fetch: Fetch, store: CandleStore, binance: FakeBinanceUs) -> None:
    """An exchange that serves only recent candles looks the same, so the first candle does not end the search."""
    binance.rows = binance.rows[2880:]
    first_ms = binance.rows[0][0]
    for _ in range(2):
        result = fetch(date(2019, 12, 30))
        assert result.first_ms == first_ms
        assert result.without_candles == [date(2019, 12, 30), date(2019, 12, 31), *DAYS[:2]]
        assert (result.stored, result.already_stored) == ([DAYS[2]], [])
    assert int(store.read("BTCUSDT", "1m").open_time[0]) == first_ms
    binance.rows = klines_of(HISTORY)
    fetch()
    assert_same_candles(store.read("BTCUSDT", "1m"), expected_candles())


@pytest.mark.parametrize(
    ("faults", "pauses_s"),
    [
        pytest.param([response(TOO_MANY_REQUESTS, 429, Retry_After="7")], [7], id="429 with Retry-After"),
        pytest.param([response(TOO_MANY_REQUESTS, 429)] * 3, [1, 2, 4], id="429 without Retry-After"),
        pytest.param([response("{}", 503), response("<html>bad gateway</html>", 502)], [1, 2], id="5xx"),
        pytest.param([disconnect, disconnect], [1, 2], id="no response"),
        pytest.param([response('[[1577836800000,"7200","7210"')], [1], id="truncated JSON"),
    ],
)
def test_retries_transient_faults(
    faults: list[Respond], pauses_s: list[float], fetch: Fetch, store: CandleStore, binance: FakeBinanceUs, waits: list[float]
) -> None:
    binance.faults = [binance.page(START_MS), *faults]
    fetch()
    assert waits == pauses_s
    assert_same_candles(store.read("BTCUSDT", "1m"), expected_candles())


@pytest.mark.parametrize(
    ("fault", "attempts", "message"),
    [
        pytest.param(response("{}", 503), MAX_ATTEMPTS, " 503 ", id="503"),
        pytest.param(response(TOO_MANY_REQUESTS, 418, Retry_After="7200"), 1, r"\b120 minutes", id="banned"),
        pytest.param(response("restricted location", 451), 1, "HTTP 451.*--exchange", id="location not served"),
    ],
)
def test_permanent_fault_raises_and_stored_days_remain(
    fault: Respond, attempts: int, message: str, fetch: Fetch, store: CandleStore, binance: FakeBinanceUs, waits: list[float]
) -> None:
    fetch(FIRST, DAYS[1])
    binance.queries.clear()
    binance.faults = [fault] * 20
    with pytest.raises(CoinfarmError, match=message):
        fetch()
    assert len(binance.queries) == attempts
    assert max([*waits, 0]) <= 60
    assert store.days("BTCUSDT", "1m") == DAYS[:1]
    binance.faults = []
    assert fetch().stored == DAYS[1:]


def test_duplicate_candle_is_stored_once(fetch: Fetch, store: CandleStore, binance: FakeBinanceUs) -> None:
    binance.rows.insert(7, binance.rows[6])
    fetch()
    assert_same_candles(store.read("BTCUSDT", "1m"), expected_candles())


def test_store_that_cannot_be_written_raises(binance: FakeBinanceUs, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(CoinfarmError, match="file"):
        download(CandleStore(open_storage(str(file))), Exchange("binanceus", binance.url), ["BTC/USDT"], ["1m"], FIRST, STOP)


def test_one_candle_per_day(binance: FakeBinanceUs, store: CandleStore) -> None:
    candles = generate("DEMO", "1d", START_MS, 3, 1)
    binance.rows = [[*row, 0, "0", 1, "0", "0", "0"] for row in rows_from_candles(candles)]
    binance.now_ms = START_MS + 5 * DAY_MS
    (result,) = download(store, Exchange("binanceus", binance.url), ["BTC/USDT"], ["1d"], FIRST, STOP)
    assert result.stored == DAYS
    np.testing.assert_array_equal(store.read("BTCUSDT", "1d").columns, candles.columns)
