"""The page of `coinfarm serve` in Chromium: real input against a real server, an exchange stand-in and a live store."""

import gzip
import json
import time

import numpy as np
import pytest

from coinfarm.candles.gaps import fill_gaps
from coinfarm.candles.json_rows import rows_from_candles
from coinfarm.candles.synthetic import generate
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.targets import targets_pct
from handler.web.single_file import single_file
from image_render.windows import Columns
from tests.support.chromium import chromium, executable
from tests.support.fake_exchange import FakeBinanceUs
from tests.support.filled_live_store import append_candles, filled_live_store
from tests.support.http_server import QuietHandler, response, serving
from tests.support.keyed_gateway import KEY, keyed_gateway
from tests.support.repository import ROOT
from tests.support.served_process import serve_process
from tests.support.synthetic_candles import MINUTE_MS, minutes

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]

CANDLES = minutes(420, seed=5)
PREDICTED = "document.querySelector('[data-output=maxRisePct]')"
CHART_HAS_COLOURS = """(() => {
  const canvas = document.querySelector('#canvas canvas');
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  const colours = new Set();
  for (let at = 0; at < data.length; at += 4) if (data[at + 3]) colours.add(`${data[at]},${data[at + 1]},${data[at + 2]}`);
  return colours.size > 10;
})()"""


@pytest.fixture(scope="module")
def running_browser(tmp_path_factory):
    if executable() is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def browser(running_browser):
    yield running_browser
    running_browser.close_pages()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return filled_live_store(tmp_path_factory.mktemp("store"), CANDLES, 300)


@pytest.fixture(scope="module")
def server(store, tmp_path_factory):
    log = tmp_path_factory.mktemp("serve") / "log"
    with FakeBinanceUs.running() as exchange:
        options = ["--store", store.root, "--exchange", "binanceus", "--exchange-url", exchange.url]
        with serve_process(log, *options) as url:
            yield url


@pytest.fixture
def page(browser, server):
    """The page, which must have logged nothing and asked no other host at the end."""
    page = browser.page(server)
    page.wait_for("document.documentElement.dataset.state === 'ready'")
    yield page
    assert page.console == []
    assert page.hosts - {""} == {server.removeprefix("http://")}


def csv_file(folder, candles):
    path = folder / "DEMOUSD-1m.csv.gz"
    lines = ["time,open,high,low,close,volume", *(",".join(map(str, row)) for row in rows_from_candles(candles))]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def drop_candles(page, folder):
    """Drop a file of all candles, and wait for the prediction at the last one."""
    page.drop(csv_file(folder, CANDLES))
    page.wait_for("document.getElementById('title').textContent === 'DEMOUSD · 1m'")
    wait_for_candle(page, "2020-01-01 06:59")
    page.wait_for(PREDICTED)


def wait_for_candle(page, time):
    """Wait until the cursor is at a candle."""
    page.wait_for(f"document.querySelector('#prediction h3')?.textContent === '{time} UTC'")


def test_a_dropped_file_is_drawn_with_the_prediction_at_its_last_candle(page, tmp_path):
    drop_candles(page, tmp_path)
    page.wait_for(CHART_HAS_COLOURS)
    assert page.text("[data-output=maxRisePct]").endswith(" %")
    assert page.text("#prediction .badge") == "in sample"  # the model was trained on candles of 2020
    assert page.text("#model dl").count("reference") == 1


@pytest.mark.parametrize("name", ["examples/DEMOUSD-1m.parquet", "examples/request.json"])
def test_files_of_other_formats_are_drawn(page, name):
    page.drop(ROOT / name)
    page.wait_for("document.getElementById('title').textContent === 'DEMOUSD · 1m'")
    page.wait_for(f"document.querySelector('#prediction h3').textContent > '2026' && {PREDICTED}")


def test_gaps_may_be_skipped(page, tmp_path):
    page.drop(csv_file(tmp_path, minutes(420, missing=range(300, 310), seed=5)))
    page.wait_for("!document.getElementById('gaps').hidden")
    for count, button in ((420, 1), (410, 2)):
        page.click(f"#gaps button:nth-of-type({button})")
        page.press("Home")
        wait_for_candle(page, "2020-01-01 03:19")
        page.press("End")
        wait_for_candle(page, "2020-01-01 06:59")
        page.wait_for(PREDICTED)
        for _ in range(4):
            page.press("PageUp")
        wait_for_candle(page, "2020-01-01 04:59" if count == 420 else "2020-01-01 04:49")


def test_what_happened_is_what_a_backtest_would_say(page):
    candles = minutes(300, missing=range(100, 120), seed=3)
    filled = fill_gaps(candles)
    rows = [
        dict(zip(("openTime", *Columns._fields), row, strict=True)) for row in zip(candles.open_time.tolist(), *map(list, candles.columns))
    ]
    outcomes = page.evaluate(f"""import('/assets/candle_series.js').then(({{ CandleSeries }}) => {{
      const series = new CandleSeries({{ symbol: 'DEMOUSD', interval: '1m', rows: {json.dumps(rows)} }});
      return series.rows.slice(0, -30).map((_, at) => series.outcome(at, 30));
    }})""")
    found = [[outcome[name] for name in OUTPUT_NAMES] for outcome in outcomes]
    np.testing.assert_allclose(found, targets_pct(filled.columns, np.arange(len(filled) - 30), 30), rtol=0, atol=1e-9)


def test_keys_move_the_cursor_and_explain_its_candle(page, tmp_path):
    drop_candles(page, tmp_path)
    page.press("PageUp")
    page.press("ArrowLeft")
    wait_for_candle(page, "2020-01-01 06:28")
    page.wait_for("document.querySelectorAll('#prediction .mark').length === 3")
    page.press("Enter")
    page.wait_for("document.querySelector('.frame')?.naturalWidth")
    page.wait_for("document.getElementById('effect-note').textContent.includes('%')")
    page.press("Escape")
    page.wait_for("document.getElementById('explanation').hidden")


def test_a_click_explains_a_candle(page, tmp_path):
    drop_candles(page, tmp_path)
    page.click("#chart")
    page.wait_for("document.querySelector('.frame')?.naturalWidth")


def test_a_file_that_is_no_candles_shows_the_error_of_the_api(browser, server, tmp_path):
    page = browser.page(server)
    page.wait_for("document.documentElement.dataset.state === 'ready'")
    file = tmp_path / "notes.csv"
    file.write_text("these,are\nno,candles\n")
    page.drop(file)
    page.wait_for("document.querySelector('.message.error li')?.textContent")
    assert [line for line in page.console if "422" not in line] == []


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


def test_a_symbol_of_the_exchange_is_drawn(page):
    page.press("/")
    page.wait_for("document.querySelectorAll('#symbols option').length === 2")
    page.type("BTC/USDT")
    page.evaluate("document.getElementById('interval').value = '1m'")
    page.press("Enter")
    page.wait_for("document.getElementById('title').textContent === 'BTC/USDT · 1m · binanceus'")
    page.wait_for(CHART_HAS_COLOURS)
    page.wait_for("document.getElementById('live-state').hidden")


def test_nothing_is_wider_than_a_phone(browser, server):
    page = browser.page(server, 360, 740, phone=True)
    page.wait_for(PREDICTED)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.console == []


def test_one_file_works_with_an_api_of_another_origin_and_its_key(browser, server):
    class Host(QuietHandler):
        def do_GET(self):
            response(single_file(), Content_Type="text/html; charset=utf-8")(self)

    with keyed_gateway(server) as api, serving(Host) as host:
        page = browser.page(host)
        page.wait_for("document.querySelector('#connection-dialog[open]')")
        for field, text in (("#api-url", api), ("#api-key", KEY)):
            page.click(field)
            page.type(text)
        page.press("Enter")
        page.wait_for("document.documentElement.dataset.state === 'ready'")
        page.click("#example")
        page.wait_for(PREDICTED)
        page.wait_for(CHART_HAS_COLOURS)
        page.press("Enter")
        page.wait_for("document.querySelector('.frame')?.naturalWidth")
        assert page.console == []
        assert page.evaluate("JSON.parse(sessionStorage.getItem('coinfarm-connection')).key") == KEY
        assert page.hosts - {""} <= {host.removeprefix("http://"), api.removeprefix("http://").removesuffix("/v1")}
