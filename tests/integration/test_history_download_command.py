"""`coinfarm history download` from a fake exchange: messages, exit codes, and a download that is killed."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.day import DAY_MS
from coinfarm.cli import main
from tests.support.fake_exchange import DAYS, HISTORY, FakeBinanceUs, expected_candles
from tests.support.http_server import disconnect
from tests.support.synthetic_candles import MINUTE_MS, START_MS, assert_same_candles

Run, Command = Callable[..., Result], Callable[..., list[str]]


@pytest.fixture
def command(binance: FakeBinanceUs, store: CandleStore) -> Command:
    defaults = {"symbol": "BTC/USDT", "exchange": "binanceus", "exchange_url": binance.url, "from": "2020-01-01", "to": "2020-01-04"}

    def command(**changes: str) -> list[str]:
        options = defaults | {"store": store.root} | changes
        return ["history", "download", *(word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value))]

    return command


@pytest.fixture
def run(command: Command) -> Run:
    return lambda *arguments, **changes: CliRunner().invoke(main, [*command(**changes), *arguments])


def test_invalid_candle_affects_only_its_day(run: Run, store: CandleStore, binance: FakeBinanceUs) -> None:
    at = int(np.searchsorted(HISTORY.open_time, START_MS + DAY_MS)) + 5
    binance.rows[at][3] = "999999"
    result = run()
    assert result.exit_code == 1
    assert "2020-01-02 00:05" in result.stderr
    assert "2 days stored" in result.stdout
    assert store.days("BTCUSDT", "1m") == [DAYS[0], DAYS[2]]


def test_damaged_day_is_reported_and_can_be_replaced(run: Run, store: CandleStore) -> None:
    run()
    damaged = Path(store.uri("BTCUSDT", "1m", DAYS[1]))
    damaged.write_bytes(b"PAR1")
    result = run()
    assert result.exit_code == 1
    assert str(damaged) in result.stderr
    replaced = run("--replace", "--json")
    assert json.loads(replaced.stdout)["stored"] == ["2020-01-01", "2020-01-02", "2020-01-03"]
    assert_same_candles(store.read("BTCUSDT", "1m"), expected_candles())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"exchange": "binanceuss"}, "binanceuss", id="unknown exchange"),
        pytest.param({"symbol": "btc/usd"}, "BTC/USDT", id="unknown symbol"),
        pytest.param({"interval": "2m"}, "15m", id="unknown interval"),
        pytest.param({"to": "2020-01-01"}, "--to 2020-01-01", id="no days"),
        pytest.param({"exchange_url": "http://127.0.0.1:9"}, "127.0.0.1:9", id="no server"),
        pytest.param({"exchange_url": "localhost"}, "'localhost'", id="invalid URL"),
        pytest.param({"exchange": "coinspot"}, "coinspot", id="exchange without candles"),
    ],
)
def test_wrong_option_is_one_line(run: Run, changes: dict[str, str], message: str) -> None:
    result = run(**changes)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert message in result.stderr


def test_accepts_the_exchanges_own_name_of_a_market(run: Run, store: CandleStore) -> None:
    assert run(symbol="BTCUSDT").exit_code == 0
    assert store.series() == [("BTCUSDT", "1m")]


def test_several_series_are_one_list(run: Run, store: CandleStore, binance: FakeBinanceUs) -> None:
    result = run("--symbol", "eth-usdt", "--json")
    assert [(each["symbol"], each["interval"], len(each["stored"])) for each in json.loads(result.stdout)] == [
        ("BTCUSDT", "1m", 3),
        ("ETHUSDT", "1m", 3),
    ]
    shown = run("--symbol", "ETH/USDT")
    assert (shown.stdout.count("BTCUSDT 1m: "), shown.stdout.count("ETHUSDT 1m: ")) == (1, 1)
    assert run(interval="1m,7m").exit_code == 2


def test_killed_download_is_resumed(binance: FakeBinanceUs, store: CandleStore, command: Command) -> None:
    """SIGKILL during the third day: two complete days are stored, and only the third is requested again."""
    reached, release = threading.Event(), threading.Event()

    def hang(request: BaseHTTPRequestHandler) -> None:
        reached.set()
        release.wait(60)
        disconnect(request)

    starts = [START_MS, *(int(HISTORY.open_time[at]) + MINUTE_MS for at in (999, 1999))]
    binance.faults = [*map(binance.page, starts), hang]
    coinfarm = [sys.executable, "-c", "from coinfarm.cli import main; main()", *command()]
    process = subprocess.Popen(coinfarm, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "NO_PROXY": "*"})
    try:
        assert reached.wait(60), process.stdout.read() if process.poll() is not None and process.stdout else "no fourth page requested"
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        release.set()
    assert store.days("BTCUSDT", "1m") == DAYS[:2]
    binance.queries.clear()
    result = CliRunner().invoke(main, command())
    assert result.exit_code == 0, result.output
    assert {int(query["startTime"]) // DAY_MS for query in binance.queries} == {START_MS // DAY_MS + 2}
    assert_same_candles(store.read("BTCUSDT", "1m"), expected_candles())
