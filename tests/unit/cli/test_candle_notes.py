"""Notes of the reader are printed, whichever module reads the candles."""

import warnings

import pytest

from coinfarm.candles.files import parse_candles
from coinfarm.cli.candle_notes import show_candle_warnings
from coinfarm.errors import CandleWarning
from tests.support.layout_rows import csv_bytes, each

NEWEST_FIRST = csv_bytes(each(lambda row: (row.time, *row.ohlcv), newest_first=True), "time,open,high,low,close,volume")


def test_in_python_they_are_warnings() -> None:
    with pytest.warns(CandleWarning, match="newest first"):
        parse_candles(NEWEST_FIRST, "BTCUSDT-1m.csv")


def test_in_a_command_they_are_lines_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        show_candle_warnings()
        parse_candles(NEWEST_FIRST, "BTCUSDT-1m.csv")
    assert capsys.readouterr().err == "BTCUSDT-1m.csv: newest first: sorted\n"


def test_other_warnings_are_those_of_python(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    monkeypatch.setattr("warnings.showwarning", lambda message, *_: shown.append(str(message)))
    show_candle_warnings()
    warnings.showwarning("old", FutureWarning, "module.py", 1)
    assert shown == ["old"]
