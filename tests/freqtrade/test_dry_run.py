"""A dry run of the example: fresh predictions are traded on, old ones and failures never. It takes two minutes of real candles."""

import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any

import coinfarm
from coinfarm.candles.synthetic import generate
from tests.support.http_server import response

_MINUTE_MS = 60_000
TOO_OLD_S = 32
"""More than the seconds after a candle's close for which the example trades on its prediction."""


def into_minute_s() -> float:
    return time.time() % 60


def wait_for(condition: Callable[[], bool], timeout_s: float) -> None:
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, "timed out"
        time.sleep(0.1)


def test_trades_only_on_the_prediction_of_the_candle_that_just_closed(make_bot: Any) -> None:
    start_ms = (int(time.time()) // 60 - 1000) * _MINUTE_MS
    bot = make_bot({"BTCUSDT": generate("DEMOUSD", "1m", start_ms, 1010, seed=7)})
    bot.set_parameters(min_rise_pct=0.1, min_rise_to_decline=0.5)  # every candle is a signal
    database = bot.folder / "trades.sqlite"
    server = bot.server

    def trades() -> list[tuple[str, str]]:
        with sqlite3.connect(database) as connection:
            return connection.execute("select open_date, enter_tag from trades").fetchall()

    wait_for(lambda: TOO_OLD_S < into_minute_s() < TOO_OLD_S + 5, 61)  # and the bot starts before the next candle closes
    process = bot.start("trade", "--dry-run", "--db-url", f"sqlite:///{database}")
    output: list[str] = []
    reader = threading.Thread(target=lambda: output.extend(process.stdout))
    reader.start()
    try:
        wait_for(lambda: server.has_described_model, 30)
        server.fault = response("{}", 503)
        wait_for(lambda: len(server.failed) >= 2, 60)  # the next candle, and it is asked for again
        assert trades() == []
        server.fault = None
        wait_for(lambda: bool(trades()), 20)
    finally:
        process.terminate()
        reader.join()
        process.wait(30)
        process.stdout.close()
        print(*output)  # pytest shows it if the test fails
    ((opened, tag),) = trades()
    assert tag == coinfarm.load_model().version
    assert float(opened[17:]) < TOO_OLD_S
    whole, latest = (request["candles"] for request in server.requests)
    assert len(whole) > len(latest) == 200
    assert latest[-1][0] == whole[-1][0] + _MINUTE_MS
    assert [request["candles"] for request in server.failed] == [latest] * len(server.failed)
    assert sum("503" in line and "Unable to analyze" in line for line in output) == len(server.failed)
    assert not any("Traceback" in line for line in output)
