"""What tests do with the page of `coinfarm serve`, and what they wait for."""

import gzip
from pathlib import Path

from coinfarm.candles.candles import Candles
from coinfarm.candles.json_rows import rows_from_candles
from tests.support.chromium import BrowserPage
from tests.support.synthetic_candles import minutes

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
"""True if the chart is drawn."""


def csv_file(folder: Path, candles: Candles) -> Path:
    """A compressed CSV file of candles."""
    path = folder / "DEMOUSD-1m.csv.gz"
    lines = ["time,open,high,low,close,volume", *(",".join(map(str, row)) for row in rows_from_candles(candles))]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def drop_candles(page: BrowserPage, folder: Path) -> None:
    """Drop a file of all `CANDLES`, and wait for the prediction at the last one."""
    page.drop(csv_file(folder, CANDLES))
    page.wait_for("document.getElementById('title').textContent === 'DEMOUSD · 1m'")
    wait_for_candle(page, "2020-01-01 06:59")
    page.wait_for(PREDICTED)


def wait_for_candle(page: BrowserPage, time: str) -> None:
    """Wait until the cursor is at a candle."""
    page.wait_for(f"document.querySelector('#prediction h3')?.textContent === '{time} UTC'")
