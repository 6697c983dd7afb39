"""The page of `coinfarm serve` with a live store: candles that arrive, and the scorecard."""

import threading
import time

import pytest

from coinfarm.candles.synthetic import generate
from coinfarm.live.live_store import LiveStore
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings
from coinfarm.storage.folder import FolderStorage
from tests.support.filled_live_store import append_candles
from tests.support.page_actions import CANDLES, PREDICTED, wait_for_candle
from tests.support.repository import ROOT
from tests.support.served_process import serve_process
from tests.support.synthetic_candles import MINUTE_MS
from tests.support.watch_runs import RecordedOutput, exchange_at, watch_until

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


def test_a_live_candle_arrives(page, store):
    page.wait_for("document.getElementById('live-state').textContent.startsWith('no candle since 2020-01-01 04:59')")
    page.wait_for("document.querySelector('[data-output=maxRisePct]')?.textContent === '+0.60 %'")
    wait_for_candle(page, "2020-01-01 04:59")
    append_candles(store, CANDLES, range(300, 303))
    wait_for_candle(page, "2020-01-01 05:02")
    assert "0.2 s after the close" in page.text("#prediction .badges")


def test_live_candles_after_missing_ones_are_drawn_with_them(page, store):
    wait_for_candle(page, "2020-01-01 05:02")
    append_candles(store, CANDLES, range(310, 311))
    wait_for_candle(page, "2020-01-01 05:10")
    for _ in range(8):
        page.press("ArrowLeft")
    wait_for_candle(page, "2020-01-01 05:02")
    page.wait_for(PREDICTED)


def test_a_candle_of_now_is_live(browser, server, store):
    step_ms = 5 * MINUTE_MS
    now = generate("DEMONOW", "5m", int(time.time() * 1000) // step_ms * step_ms - 300 * step_ms, 300, seed=7)
    append_candles(store, now, range(300))
    page = browser.page(server)
    page.wait_for("document.querySelectorAll('#live option').length === 3")
    choose = "const live = document.getElementById('live'); live.value = live.options[2].value; live.dispatchEvent(new Event('change'))"
    page.evaluate(choose)
    page.wait_for("document.getElementById('live-state').textContent === 'live'")
    assert page.console == []


def test_scorecard_shows_live_scores_beside_the_evaluation(page):
    page.click("#tab-scorecard")
    page.wait_for("document.querySelector('#scorecard-view .badge')")
    assert page.text("#scorecard-view .badge") in ("as evaluated", "worse than evaluated", "too early to tell")
    assert page.evaluate("document.querySelectorAll('#scorecard-view .card:first-child .scores').length") >= 2
    before = page.text("#prediction h3")
    page.press("PageUp")  # moves nothing that is not visible
    assert page.text("#prediction h3") == before
    page.drop(ROOT / "examples/DEMOUSD-1m.parquet")
    page.wait_for("!document.getElementById('chart-view').hidden")


def test_page_follows_a_watch_that_is_started_after_it(browser, tmp_path):
    speed, seen = 60, threading.Event()
    store = LiveStore(FolderStorage(tmp_path / "live"))
    with serve_process(tmp_path / "log", "--store", store.root) as server, exchange_at(399, speed=speed).running() as exchange:
        page = browser.page(server)
        page.wait_for("document.querySelector('#live option')?.textContent === 'No live candles yet'")
        watched = (store, Service(Settings()), RecordedOutput(exchange), seen.is_set)
        watch = threading.Thread(target=watch_until, args=watched, kwargs={"clock_speed": float(speed)})
        watch.start()
        try:
            page.wait_for("document.getElementById('title').textContent === 'BTCUSDT · 1m · binanceus'")
            page.wait_for(PREDICTED)
            first = page.text("#prediction h3")
            page.wait_for(f"document.querySelector('#prediction h3').textContent > '{first}'")
        finally:
            seen.set()
            watch.join()
    assert page.console == []
