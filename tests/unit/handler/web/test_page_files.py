import hashlib
import re

from coinfarm.candles.files import parse_candles
from handler.web.page_files import EXAMPLE, page_files

MAX_LINES, MAX_LINE_LENGTH = 250, 140
CHART_LIBRARY = "vendor/lightweight-charts/lightweight-charts.js"
CHART_LIBRARY_SHA256 = "e21cc5caa0226ef30bd8549c50b9ef926615f2a4ee6b4e486353477a55f598cf"
"""Of `dist/lightweight-charts.standalone.production.js` in the npm package lightweight-charts 5.2.1."""


def own_files(suffix):
    return {name: file.text for name, file in page_files().items() if name.endswith(suffix) and not name.startswith("vendor/")}


def test_own_files_and_their_lines_are_not_too_long():
    for name, text in own_files((".js", ".html", ".css")).items():
        assert text.count("\n") <= MAX_LINES, name
    long = [(name, line) for name, text in own_files(".js").items() for line in text.splitlines() if len(line) > MAX_LINE_LENGTH]
    assert long == []


def test_the_chart_library_is_the_published_one_with_its_licence_and_notice():
    files = page_files()
    assert hashlib.sha256(files[CHART_LIBRARY].content).hexdigest() == CHART_LIBRARY_SHA256
    assert "Apache License" in files["vendor/lightweight-charts/LICENSE"].text
    notice = files["vendor/lightweight-charts/NOTICE"].text
    copyright_line = re.search(r"Copyright \(c\) (.+?) https://www.tradingview.com/", notice)[1]
    assert copyright_line in files[CHART_LIBRARY].text[:300]
    assert '<a href="https://www.tradingview.com/"' in files["index.html"].text
    assert copyright_line in files["index.html"].text


def test_files_name_no_other_host():
    for name, text in own_files((".js", ".css")).items():
        assert set(re.findall(r"https?://[^\s\"]*", text)) <= {"http://www.w3.org/2000/svg"}, name  # a namespace, which nobody asks for


def test_the_example_is_read_as_any_candle_file():
    candles = parse_candles(page_files()[EXAMPLE].content, "DEMOUSD-1m.csv")
    assert (candles.symbol, candles.interval, len(candles)) == ("DEMOUSD", "1m", 1200)


def test_an_etag_changes_with_the_content():
    assert len({file.etag for file in page_files().values()}) == len(page_files())
