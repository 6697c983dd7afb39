"""Writes the screenshots of docs/page.md and README.md: python -m tests.support.page_screenshots

The candles are synthetic, so that the pictures change only with the page, the model and Chromium.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from tests.support.chromium import BrowserPage, chromium
from tests.support.repository import ROOT
from tests.support.served_process import serve_process

MAX_BYTES = 150_000
_COLOURS = 128
_PREDICTED = "document.querySelector('[data-output=maxRisePct]')"


def write_screenshots(folder: Path) -> None:
    """Write `page.png`, an explained candle in light colours, and `page-phone.png`, the same page on a phone in dark ones."""
    with tempfile.TemporaryDirectory() as scratch, serve_process(Path(scratch) / "log") as server, chromium(Path(scratch)) as browser:
        wide = browser.page(server, 1280, 800)
        _prepare(wide, lambda: wide.press("Enter"))
        wide.wait_for("document.querySelector('.frame')?.naturalWidth")
        _write(wide, folder / "page.png")
        phone = browser.page(server, 390, 844, dark=True, phone=True)
        _prepare(phone)
        _write(phone, folder / "page-phone.png")


def _prepare(page: BrowserPage, act: Callable[[], None] = lambda: None) -> None:
    page.wait_for("document.documentElement.dataset.state === 'ready'")
    page.click("#example")
    page.wait_for(_PREDICTED)
    page.move_to(5, 5)
    for _ in range(2):
        page.press("PageUp")
    page.wait_for(_PREDICTED)
    act()


def _write(page: BrowserPage, path: Path) -> None:
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    page.screenshot(path)
    Image.open(path).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    assert path.stat().st_size < MAX_BYTES, f"{path} has {path.stat().st_size} bytes"


if __name__ == "__main__":
    write_screenshots(ROOT / "docs")
