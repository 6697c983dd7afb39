"""The HTML report of a backtest, in Chromium without network."""

import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from coinfarm.backtesting.backtest import backtest
from coinfarm.backtesting.backtest_report import page
from coinfarm.backtesting.strategy import Strategy
from tests.support.backtest_files import store_candles, store_predictions
from tests.support.backtest_markets import noisy_predictions, random_walk

pytestmark = pytest.mark.browser

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # no internet
    "--enable-logging=stderr",
]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The file of a report, and its verdict."""
    root = tmp_path_factory.mktemp("backtest")
    coin = noisy_predictions(random_walk("DEMOBTC", 12 * 1440, 1), 20, 2)
    store_predictions(root / "results", coin)
    store_candles(root / "candles", coin.candles)
    strategy = Strategy.model_validate({"exit": {"horizon_candles": 5}, "market": {"volume_share_pct": 100}})
    result = backtest(f"{root}/results", f"{root}/candles", strategy, samples=50)
    page(result).write(root / "verdict.html")
    return root / "verdict.html", result.verdict.headline


@pytest.fixture(scope="module")
def browse(tmp_path_factory):
    """Returns a function that opens a file in Chromium and returns its output and log."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("Chromium is not installed: apt-get install chromium")

    def browse(path, *flags):
        command = [chromium, *FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}", *flags, path.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    return browse


def test_page_shows_the_verdict_without_console_messages(report, browse):
    path, headline = report
    result = browse(path, "--dump-dom")
    assert headline in result.stdout
    assert [line for line in result.stderr.splitlines() if "CONSOLE" in line] == []


@pytest.mark.parametrize("width", [390, 1280], ids=["phone", "laptop"])
def test_screenshot_has_colours(report, browse, tmp_path, width):
    picture = tmp_path / "report.png"
    browse(report[0], f"--window-size={width},3000", f"--screenshot={picture}")
    pixels = np.asarray(Image.open(picture).convert("RGB")).reshape(-1, 3)
    assert len(np.unique(pixels, axis=0)) > 200
