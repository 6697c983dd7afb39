"""Downloads through the real ccxt client, from a server that answers as Binance.us does, at its best and at its worst."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from click.testing import CliRunner, Result

from coinfarm.candle_store.download import DownloadResult, download
from coinfarm.candle_store.exchange import MAX_ATTEMPTS, Exchange
from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import DAY_MS
from coinfarm.candles.json_rows import rows_from_candles
from coinfarm.candles.synthetic import generate
from coinfarm.cli import main
from coinfarm.errors import CoinfarmError, Unavailable
from coinfarm.storage import open_storage
from tests.support.synthetic_candles import MINUTE_MS, START_MS, assert_same_candles, minutes

FIRST, STOP = date(2020, 1, 1), date(2020, 1, 4)
DAYS = [date(2020, 1, day) for day in (1, 2, 3)]
HISTORY = minutes(3 * 1440 + 300, missing=[0, 1, 1439, *range(2000, 2400), 4319], seed=3)
"""Three days and a morning, with quiet minutes around midnight and an outage of almost seven hours."""

MARKET = {
    "symbol": "BTCUSDT",
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "baseAssetPrecision": 8,
    "quotePrecision": 8,
    "quoteAssetPrecision": 8,
    "orderTypes": ["LIMIT", "MARKET"],
    "isSpotTradingAllowed": True,
    "isMarginTradingAllowed": False,
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
    ],
    "permissions": ["SPOT"],
}
Answer = Callable[[BaseHTTPRequestHandler], None]


class BinanceUs:
    """`/api/v3/exchangeInfo`, `time` and `klines`; a request for klines takes the next of `troubles`, if there is one, for its answer."""

    def __init__(self) -> None:
        self.rows = [[*row, row[0] + MINUTE_MS - 1, "0", 1, "0", "0", "0"] for row in rows_from_candles(HISTORY)]  # type: ignore[operator]
        self.now_ms = int(HISTORY.open_time[-1]) + MINUTE_MS
        self.troubles: list[Answer] = []
        self.asked: list[dict[str, str]] = []
        """The queries for klines."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                address = urlsplit(self.path)
                query = dict(parse_qsl(address.query))
                match address.path.removeprefix("/api/v3/"):
                    case "exchangeInfo":
                        answer(json.dumps({"symbols": [MARKET, {**MARKET, "symbol": "ETHUSDT", "baseAsset": "ETH"}]}))(self)
                    case "time":
                        answer(json.dumps({"serverTime": outer.now_ms}))(self)
                    case "klines":
                        outer.asked.append(query)
                        (outer.troubles.pop(0) if outer.troubles else answer(json.dumps(outer.klines(query))))(self)
                    case _:
                        answer("Not Found", 404)(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def klines(self, query: dict[str, str]) -> list[Any]:
        start_ms = int(query["startTime"])
        found = [row for row in self.rows if start_ms <= row[0] <= self.now_ms]
        return found[: min(int(query.get("limit", 500)), 1000)]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def answer(body: str, status: int = 200, *, sent_bytes: int | None = None, **headers: str) -> Answer:
    """With `sent_bytes` the connection drops after so much of the body."""

    def send(request: BaseHTTPRequestHandler) -> None:
        data = body.encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(data[:sent_bytes])
        if sent_bytes is not None:
            request.close_connection = True

    return send


def hang_up(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True


TOO_MANY = json.dumps({"code": -1003, "msg": "Too much request weight used; current limit is 1200 request weight per 1 MINUTE."})


@pytest.fixture
def binance() -> Iterator[BinanceUs]:
    server = BinanceUs()
    yield server
    server.close()


@pytest.fixture
def store(tmp_path: Path) -> CandleStore:
    return CandleStore(open_storage(str(tmp_path / "store")))


@pytest.fixture
def waits() -> list[float]:
    """The seconds that were slept between two tries."""
    return []


@pytest.fixture
def fetch(binance: BinanceUs, store: CandleStore, waits: list[float]) -> Callable[..., DownloadResult]:
    def fetch(first: date = FIRST, stop: date | None = STOP, **options: Any) -> DownloadResult:
        exchange = Exchange("binanceus", binance.url, lambda seconds, _: waits.append(seconds))
        exchange._ccxt.rateLimit = 0
        return download(store, exchange, "BTC/USDT", "1m", first, stop, **options)

    return fetch


@pytest.fixture
def run(binance: BinanceUs, store: CandleStore) -> Callable[..., Result]:
    def run(*arguments: str, **options: str) -> Result:
        chosen = {
            "exchange": "binanceus",
            "exchange-url": binance.url,
            "symbol": "BTC/USDT",
            "from": "2020-01-01",
            "to": "2020-01-04",
            "store": store.root,
        }
        chosen |= {name.replace("_", "-"): value for name, value in options.items()}
        spelled = [word for name, value in chosen.items() for word in (f"--{name}", value)]
        return CliRunner().invoke(main, ["history", "download", *spelled, *arguments])

    return run


def expected(*, stop_ms: int = START_MS + 3 * DAY_MS) -> Candles:
    candles = HISTORY.between(None, stop_ms)
    return Candles("BTCUSDT", "1m", candles.open_time, candles.columns, candles.filled)


def test_what_the_exchange_has_is_stored_by_the_day(fetch: Callable[..., DownloadResult], store: CandleStore, binance: BinanceUs) -> None:
    done: list[tuple[int, int]] = []
    outcome = fetch(progress=lambda *days: done.append(days))
    assert_same_candles(store.read("BTCUSDT", "1m"), expected())
    assert outcome.stored == DAYS
    assert outcome.candles == len(expected())
    assert (outcome.first_ms, outcome.refused, outcome.unfinished) == (None, [], [])
    assert done == [(1, 3), (2, 3), (3, 3)]
    assert {query["limit"] for query in binance.asked} == {"1000"}
    assert len(binance.asked) == 4, "the page goes over midnight"


def test_days_that_are_there_are_not_asked_for(fetch: Callable[..., DownloadResult], store: CandleStore, binance: BinanceUs) -> None:
    """Quiet minutes at midnight do not make a day look unfinished."""
    fetch(FIRST, DAYS[1])
    fetch(DAYS[2], STOP)
    binance.asked.clear()
    outcome = fetch()
    assert (outcome.already_stored, outcome.stored) == ([DAYS[0], DAYS[2]], [DAYS[1]])
    assert {int(query["startTime"]) // DAY_MS for query in binance.asked} == {START_MS // DAY_MS + 1}
    assert_same_candles(store.read("BTCUSDT", "1m"), expected())
    binance.asked.clear()
    assert fetch().already_stored == DAYS
    assert binance.asked == []


@pytest.mark.parametrize("now_ms", [START_MS + 2 * DAY_MS + 3_600_000, START_MS + 3 * DAY_MS + 30_000], ids=["evening", "midnight"])
def test_a_day_that_is_not_over_is_left_for_later(
    now_ms: int, fetch: Callable[..., DownloadResult], store: CandleStore, binance: BinanceUs
) -> None:
    """By the exchange's clock, and with a minute for its last trades to be counted."""
    binance.now_ms = now_ms
    assert fetch().unfinished == [DAYS[2]]
    assert store.days("BTCUSDT", "1m") == DAYS[:2]
    binance.now_ms = START_MS + 4 * DAY_MS
    outcome = fetch()
    assert (outcome.already_stored, outcome.stored, outcome.unfinished) == (DAYS[:2], DAYS[2:], [])


def test_without_an_end_all_days_that_are_over_are_fetched(fetch: Callable[..., DownloadResult], binance: BinanceUs) -> None:
    outcome = fetch(stop=None)
    assert (outcome.stored, outcome.unfinished) == (DAYS, [])


def test_days_before_the_first_trade_are_told_and_asked_for_again(
    fetch: Callable[..., DownloadResult], store: CandleStore, binance: BinanceUs
) -> None:
    """The first day is known from its first candle on: an exchange that keeps a few hours only looks the same."""
    binance.rows = binance.rows[2880:]
    first_ms = binance.rows[0][0]
    for _ in ("the first time", "again"):
        outcome = fetch(date(2019, 12, 30))
        assert outcome.first_ms == first_ms
        assert outcome.without_candles == [date(2019, 12, 30), date(2019, 12, 31), *DAYS[:2]]
        assert (outcome.stored, outcome.already_stored) == ([DAYS[2]], [])
    assert int(store.read("BTCUSDT", "1m").open_time[0]) == first_ms
    binance.rows = [[*row, row[0] + MINUTE_MS - 1, "0", 1, "0", "0", "0"] for row in rows_from_candles(HISTORY)]  # type: ignore[operator]
    fetch()
    assert_same_candles(store.read("BTCUSDT", "1m"), expected())


@pytest.mark.parametrize(
    ("troubles", "slept"),
    [
        pytest.param([answer(TOO_MANY, 429, Retry_After="7")], [7], id="429 says how long to wait"),
        pytest.param([answer(TOO_MANY, 418, Retry_After="120")], [120], id="418 too"),
        pytest.param([answer(TOO_MANY, 429)] * 3, [1, 2, 4], id="429 without a word on it"),
        pytest.param([answer("{}", 503), answer("<html>bad gateway</html>", 502)], [1, 2], id="5xx"),
        pytest.param([hang_up, hang_up], [1, 2], id="no answer at all"),
        pytest.param([answer("[" + "[1577836800000, " * 1000, sent_bytes=900)], [1], id="connection dropped in the middle of a body"),
        pytest.param([answer('[[1577836800000,"7200","7210"')], [1], id="a body cut short by a proxy"),
        pytest.param([answer("<html>maintenance</html>")], [1], id="a page instead of candles"),
        pytest.param([answer('{"code": 0}')], [1], id="an object instead of candles"),
    ],
)
def test_trouble_is_waited_out(
    troubles: list[Answer],
    slept: list[float],
    fetch: Callable[..., DownloadResult],
    store: CandleStore,
    binance: BinanceUs,
    waits: list[float],
) -> None:
    """It comes in the middle of the second day."""
    pages = [answer(json.dumps(binance.klines({"startTime": str(START_MS), "limit": "1000"})))]
    binance.troubles = [*pages, *troubles]
    fetch()
    assert waits == slept
    assert_same_candles(store.read("BTCUSDT", "1m"), expected())


@pytest.mark.parametrize(
    ("trouble", "tries", "says"),
    [
        pytest.param(answer("{}", 503), MAX_ATTEMPTS, " 503 ", id="down"),
        pytest.param(hang_up, MAX_ATTEMPTS, "Remote end closed", id="hanging up"),
        pytest.param(answer(TOO_MANY, 418, Retry_After="7200"), 1, r"\b120 minutes", id="banned"),
        pytest.param(answer("restricted location", 451), 1, "HTTP 451.*--exchange", id="not served in this country"),
    ],
)
def test_trouble_that_does_not_pass_ends_with_what_is_stored(
    trouble: Answer,
    tries: int,
    says: str,
    fetch: Callable[..., DownloadResult],
    store: CandleStore,
    binance: BinanceUs,
    waits: list[float],
) -> None:
    fetch(FIRST, DAYS[1])
    binance.asked.clear()
    binance.troubles = [trouble] * 20
    with pytest.raises(CoinfarmError, match=says):
        fetch()
    assert len(binance.asked) == tries
    assert max([*waits, 0]) <= 60
    assert store.days("BTCUSDT", "1m") == DAYS[:1]
    binance.troubles = []
    assert fetch().stored == DAYS[1:]


def test_a_connection_that_fails_is_waited_out_once_one_has_worked(binance: BinanceUs, waits: list[float]) -> None:
    exchange = Exchange("binanceus", binance.url, lambda seconds, _: waits.append(seconds))
    assert exchange.market("BTC/USDT") == "BTC/USDT"
    exchange._ccxt.urls["api"] = json.loads(json.dumps(exchange._ccxt.urls["api"]).replace(binance.url, "http://127.0.0.1:9"))
    with pytest.raises(Unavailable, match="binanceus"):
        exchange.page("BTC/USDT", "1m", START_MS)
    assert len(waits) == MAX_ATTEMPTS - 1


def test_an_impossible_candle_costs_its_day_alone(run: Callable[..., Result], store: CandleStore, binance: BinanceUs) -> None:
    at = int(np.searchsorted(HISTORY.open_time, START_MS + DAY_MS)) + 5
    binance.rows[at][3] = "999999"
    shown = run()
    assert shown.exit_code == 1
    assert "2020-01-02 00:05 low is above the open" in shown.stderr
    assert "2 days stored" in shown.stdout
    assert store.days("BTCUSDT", "1m") == [DAYS[0], DAYS[2]]


def test_a_candle_that_comes_twice_is_one(fetch: Callable[..., DownloadResult], store: CandleStore, binance: BinanceUs) -> None:
    binance.rows.insert(7, binance.rows[6])
    fetch()
    assert_same_candles(store.read("BTCUSDT", "1m"), expected())


def test_replace_fetches_what_is_there_again(run: Callable[..., Result], store: CandleStore, binance: BinanceUs) -> None:
    run()
    binance.rows[100][5] = "12345.5"
    assert "3 days already stored" in run().stdout
    changed = run("--replace", "--json")
    assert json.loads(changed.stdout)["stored"] == ["2020-01-01", "2020-01-02", "2020-01-03"]
    assert store.read("BTCUSDT", "1m").columns.volume[100] == 12345.5


def test_a_damaged_day_is_named_and_replaced_on_demand(run: Callable[..., Result], store: CandleStore) -> None:
    run()
    damaged = Path(store.uri("BTCUSDT", "1m", DAYS[1]))
    damaged.write_bytes(b"PAR1")
    shown = run()
    assert shown.exit_code == 1
    assert f"refused: {damaged}: is not a Parquet file" in shown.stderr
    assert run("--replace").exit_code == 0
    assert_same_candles(store.read("BTCUSDT", "1m"), expected())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param({"exchange": "binanceuss"}, "'binanceuss'; did you mean binanceus", id="exchange"),
        pytest.param({"symbol": "btc/usd"}, "'btc/usd'; did you mean BTC/USDT", id="symbol"),
        pytest.param({"interval": "2m"}, "1m, 3m, 5m, 15m", id="interval"),
        pytest.param({"to": "2020-01-01"}, "--to 2020-01-01 is not after --from 2020-01-01", id="no day"),
        pytest.param({"exchange_url": "http://127.0.0.1:9"}, "127.0.0.1:9", id="nobody there"),
        pytest.param({"exchange_url": "http://no.such.host.invalid"}, "no.such.host.invalid", id="unknown host"),
        pytest.param({"exchange_url": "localhost"}, "'localhost'", id="no address"),
        pytest.param({"exchange": "coinspot"}, "coinspot", id="exchange without candles"),
    ],
)
def test_what_cannot_be_downloaded_is_said_on_one_line(run: Callable[..., Result], options: dict[str, str], says: str) -> None:
    started = time.monotonic()
    shown = run(**options)
    assert time.monotonic() - started < 10
    assert shown.exit_code == 1
    assert shown.stderr.startswith("Error: ")
    assert says in shown.stderr
    assert shown.stderr.count("\n") == 1


def test_the_exchanges_own_name_of_a_market_will_do(run: Callable[..., Result], store: CandleStore) -> None:
    assert run(symbol="BTCUSDT").exit_code == 0
    assert store.series() == [("BTCUSDT", "1m")]


def test_a_download_that_is_killed_goes_on_where_it_was(binance: BinanceUs, store: CandleStore) -> None:
    """SIGKILL while the third day is on its way: two days are there, whole, and only the third is asked for again."""
    reached, release = threading.Event(), threading.Event()

    def hang(request: BaseHTTPRequestHandler) -> None:
        reached.set()
        release.wait(60)
        hang_up(request)

    starts = [START_MS, *(int(HISTORY.open_time[at]) + MINUTE_MS for at in (999, 1999))]
    binance.troubles = [*(answer(json.dumps(binance.klines({"startTime": str(start), "limit": "1000"}))) for start in starts), hang]
    command = ["history", "download", "--exchange-url", binance.url, "--symbol", "BTC/USDT"]
    command += ["--from", "2020-01-01", "--to", "2020-01-04", "--store", store.root]
    coinfarm = [sys.executable, "-c", "from coinfarm.cli import main; main()"]
    process = subprocess.Popen([*coinfarm, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "NO_PROXY": "*"})
    try:
        assert reached.wait(60), process.stdout.read() if process.poll() is not None and process.stdout else "no fourth page asked for"
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        release.set()
    assert store.days("BTCUSDT", "1m") == DAYS[:2]
    binance.asked.clear()
    again = CliRunner().invoke(main, command)
    assert again.exit_code == 0, again.output
    assert "2 days already stored: 2020-01-01 to 2020-01-02" in again.stdout
    assert {int(query["startTime"]) // DAY_MS for query in binance.asked} == {START_MS // DAY_MS + 2}
    assert_same_candles(store.read("BTCUSDT", "1m"), expected())


def test_a_store_that_refuses_ends_the_download(binance: BinanceUs, tmp_path: Path, waits: list[float]) -> None:
    (tmp_path / "store").write_text("a file")
    with pytest.raises(CoinfarmError, match="store"):
        download(CandleStore(open_storage(str(tmp_path / "store"))), Exchange("binanceus", binance.url), "BTC/USDT", "1m", FIRST, STOP)


@pytest.mark.parametrize("interval", ["1h", "1d"])
def test_other_intervals_are_kept_on_their_own_grid(interval: str, binance: BinanceUs, store: CandleStore) -> None:
    candles = generate("DEMO", interval, START_MS, 3 * (24 if interval == "1h" else 1), 1)
    binance.rows = [[*row, 0, "0", 1, "0", "0", "0"] for row in rows_from_candles(candles)]
    binance.now_ms = START_MS + 5 * DAY_MS
    outcome = download(store, Exchange("binanceus", binance.url), "BTC/USDT", interval, FIRST, STOP)
    assert outcome.stored == DAYS
    np.testing.assert_array_equal(store.read("BTCUSDT", interval).columns, candles.columns)
