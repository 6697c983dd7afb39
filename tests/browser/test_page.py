"""The page of `coinfarm serve`: files dropped, predictions and explanations shown, an exchange's symbols. Input is real."""

import json

import numpy as np
import pytest

from coinfarm.candles.gaps import fill_gaps
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.targets import targets_pct
from image_render.windows import Columns
from tests.support.page_actions import CANDLES, CHART_HAS_COLOURS, PREDICTED, csv_file, drop_candles, wait_for_candle
from tests.support.repository import ROOT
from tests.support.synthetic_candles import minutes

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


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


@pytest.mark.parametrize(
    ("name", "predicted", "actual", "is_hit"),
    [
        ("maxRisePct", 0.5, 0.5, True),
        ("maxRisePct", 0.5, 0.4, False),
        ("maxRisePct", 0.5, -0.6, False),
        ("maxDeclinePct", -0.5, -0.6, True),
        ("maxDeclinePct", -0.5, 0.6, False),
        ("endChangePct", -0.1, -0.9, True),
        ("endChangePct", -0.1, 0.1, False),
    ],
)
def test_a_prediction_came_true_if_the_price_was_reached_or_the_direction_is_right(page, name, predicted, actual, is_hit):
    output = f"import('/assets/outputs.js').then(({{ OUTPUTS }}) => OUTPUTS.find((each) => each.name === '{name}')"
    assert page.evaluate(f"{output}.isHit({actual}, {predicted}))") is is_hit


def test_a_price_below_zero_is_called_impossible_and_nothing_is_cut_off(page, tmp_path):
    drop_candles(page, tmp_path)
    page.wait_for(CHART_HAS_COLOURS)
    predictions = {"maxRisePct": 12345.67, "maxDeclinePct": -11143.97, "endChangePct": -5.0}
    shown = {
        "row": {"openTime": 1_577_836_800_000, "close": 11_519.9},
        "result": {"predictions": predictions, "inSample": False, "filledCandles": 0},
        "outcome": {**predictions, "candles": 30, "isComplete": True},
        "horizons": [30],
        "horizon": 30,
    }
    page.evaluate(f"import('/assets/prediction_panel.js').then((panel) => panel.showPrediction({json.dumps(shown)}))")
    assert "impossible" in page.text("#prediction .maxDeclinePct td:nth-of-type(2)")
    assert page.evaluate("document.querySelector('#prediction table').scrollWidth <= document.querySelector('#prediction').clientWidth")


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


def test_the_user_says_what_a_file_does_not(browser, server, tmp_path):
    page = browser.page(server)
    page.wait_for("document.documentElement.dataset.state === 'ready'")
    page.drop(csv_file(tmp_path, CANDLES).rename(tmp_path / "export.csv.gz"))
    page.wait_for("document.querySelector('.message.error .ask')")
    page.click(".message.error .ask")
    page.wait_for("document.getElementById('file-dialog').open")
    page.type("BTC/USDT")
    page.press("Enter")
    page.wait_for("document.getElementById('title').textContent === 'BTCUSDT · 1m'")
    assert not page.evaluate("document.querySelector('.message.error') !== null")
    assert [line for line in page.console if "422" not in line] == []


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
