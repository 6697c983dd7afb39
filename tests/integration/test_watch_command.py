"""`coinfarm watch` as a process, at an exchange whose next minute ends in a second."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from contextlib import suppress

import pytest

from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.storage.folder import FolderStorage
from tests.support.http_server import QuietHandler, response, serving
from tests.support.live_exchange import Faults, Outage
from tests.support.watch_runs import at, exchange_at

FEED = LiveFeed("binanceus", "1m")


@pytest.fixture
def start(tmp_path):
    """A function that starts the command; the processes are killed at the end."""
    processes = []

    def start(exchange, *options, stdout=subprocess.PIPE):
        command = [sys.executable, "-m", "coinfarm", "watch", "BTC/USDT", "ethusdt", "--exchange-url", exchange.url]
        store = ["--store", str(tmp_path / "store")]
        processes.append(subprocess.Popen([*command, *store, *options], stdout=stdout, stderr=subprocess.PIPE, text=True))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def real_time(seconds=57, **options):
    """The exchange, with a clock as fast as time, which begins at the first request."""
    return exchange_at(401, seconds, speed=1.0, waits=True, **options).running()


def ended(process, number):
    """The exit code and what was written to stderr, after a signal."""
    process.send_signal(number)
    _, stderr = process.communicate(timeout=20)
    return process.returncode, stderr


@pytest.fixture
def bot():
    """A server that keeps the bodies that it gets in `bot.bodies`."""

    class Bot(QuietHandler):
        bodies, url = [], ""

        def do_POST(self):
            Bot.bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            response("ok")(self)

    with serving(Bot) as Bot.url:
        yield Bot


def test_prints_a_line_for_each_prediction_and_continues_after_a_kill(start, tmp_path, bot):
    template = tmp_path / "body.j2"
    template.write_text("{{ symbol }} {{ candle.openTime }}")
    with real_time() as exchange:
        first = start(exchange, "--webhook", bot.url, "--webhook-template", str(template))
        lines = [json.loads(next(first.stdout)) for _ in range(2 * 31)]
        assert {(line["symbol"], line["exchange"]) for line in lines} == {("BTCUSDT", "binanceus"), ("ETHUSDT", "binanceus")}
        live = [json.loads(next(first.stdout)) for _ in range(2)]
        assert [line["candle"]["openTime"] for line in live] == [lines[-1]["candle"]["openTime"] + 60_000] * 2
        recent = [line for line in lines + live if line["predictedAt"] - line["closeTime"] < 60_000]
        while len(bot.bodies) < len(recent):
            assert first.poll() is None
        assert bot.bodies == [f"{line['symbol']} {line['candle']['openTime']}" for line in recent]
        first.kill()
        first.wait()
        second = start(exchange, "--polling")
        while "Watching" not in second.stderr.readline():
            assert second.poll() is None
        assert ended(second, signal.SIGTERM)[0] == 0
    times = LiveStore(FolderStorage(tmp_path / "store")).read(FEED, symbols=["ETHUSDT"])["open_time"].to_pylist()
    assert times == list(range(times[0], live[0]["candle"]["openTime"] + 1, 60_000))


def read_to_the_end(terminal):
    with suppress(OSError):
        while os.read(terminal, 10_000):
            pass


def test_shows_a_table_on_a_terminal_until_ctrl_c(start):
    terminal, its_end = pty.openpty()
    with real_time(seconds=5) as exchange:
        process = start(exchange, stdout=its_end)
        os.close(its_end)
        shown = b""
        while b"+" not in shown or shown.count(b"ETHUSDT") < 2:
            shown += os.read(terminal, 10_000)
            assert len(shown) < 100_000
        threading.Thread(target=read_to_the_end, args=(terminal,), daemon=True).start()
        code, stderr = ended(process, signal.SIGINT)
    assert code == 130
    assert "stored" in stderr
    assert "Traceback" not in stderr


@pytest.mark.parametrize(
    ("status", "options", "expected"),
    [
        (451, (), "451"),
        (200, ("--exchange", "nowhere"), "nowhere"),
        (200, ("--interval", "7h"), "7h"),
        (200, ("--webhook", "bot.example"), "webhook"),
        (200, ("--sns-topic", "predictions"), "ARN"),
        (200, ("--interval", "2h"), "--any-interval"),
    ],
)
def test_what_cannot_be_watched_is_one_line(start, status, options, expected):
    faults = Faults(outages=[Outage(at(0), at(1000), status)] if status != 200 else [])
    with real_time(faults=faults) as exchange:
        process = start(exchange, *options)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode in (1, 2)
    assert expected in stderr
    assert "Traceback" not in stderr
