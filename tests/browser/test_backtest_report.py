"""The HTML report of a backtest, in Chromium without network."""

import numpy as np
import pytest
from PIL import Image

from coinfarm.backtesting.backtest import backtest
from coinfarm.backtesting.reporting.backtest_report import page
from coinfarm.backtesting.strategy import Strategy
from tests.support.backtest_files import store_candles, store_predictions
from tests.support.backtest_markets import noisy_predictions, random_walk

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The address of a report, and its verdict."""
    root = tmp_path_factory.mktemp("backtest")
    coin = noisy_predictions(random_walk("DEMOBTC", 4 * 1440, 1), 20, 2)
    store_predictions(root / "results", coin)
    store_candles(root / "candles", coin.candles)
    strategy = Strategy.model_validate({"exit": {"horizon_candles": 5}, "market": {"volume_share_pct": 100}})
    result = backtest(f"{root}/results", f"{root}/candles", strategy, samples=50)
    page(result).write(root / "verdict.html")
    return (root / "verdict.html").as_uri(), result.verdict.headline


def test_page_shows_the_verdict_without_console_messages(report, browse):
    url, headline = report
    result = browse(url, "--dump-dom")
    assert headline in result.stdout
    assert [line for line in result.stderr.splitlines() if "CONSOLE" in line] == []


def test_screenshot_has_colours(report, browse, tmp_path):
    picture = tmp_path / "report.png"
    browse(report[0], "--window-size=390,3000", f"--screenshot={picture}")
    pixels = np.asarray(Image.open(picture).convert("RGB")).reshape(-1, 3)
    assert len(np.unique(pixels, axis=0)) > 200
