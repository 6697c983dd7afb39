"""Numbers with units, and the web tables that have them."""

from datetime import UTC, datetime

import numpy as np
import pytest

from coinfarm.candles.files import read_candles
from coinfarm.candles.sources.quantities import quantity, without_unit
from coinfarm.candles.synthetic import SyntheticMarket, generate
from coinfarm.errors import CandleError
from tests.support.layout_rows import Row, csv_bytes, rows_of

CANDLES = generate("DEMOUSD", "1d", round(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1000), 60, 3, market=SyntheticMarket(volume=2.0))
NEWEST_FIRST = rows_of(CANDLES)[::-1]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.2K", 1200),
        ("3.4M", 3.4e6),
        ("1,234.5K", 1_234_500),
        ("0.5B", 5e8),
        ("$7,999.30", 7999.3),
        ("€ 12", 12),
        ("7999.3 USD", 7999.3),
        ("2.5 BTC", 2.5),
        ("-1.5K", -1500),
        ("1,234K", None),  # a decimal comma, or thousands
        ("12", None),
        ("1.2X", None),
        ("5 apples", None),
        ("1.2.3K", None),
        ("2024-01-02T", None),
        ("", None),
    ],
)
def test_a_quantity(text: str, value: float | None) -> None:
    assert quantity(text) == (None if value is None else pytest.approx(value))


def test_the_number_in_a_quantity_is_as_it_was_written() -> None:
    assert [without_unit(text) for text in ("$7,999.30", "1,2K", "12,5", "2024-01-02")] == ["7,999.30", "1,2", "12,5", "2024-01-02"]


def web_table(name: str) -> bytes:
    def quoted(cells: tuple[str, ...]) -> list[str]:
        return [f'"{cell}"' for cell in cells]

    def prices(row: Row, sign: str = "") -> list[str]:
        return [f"{sign}{price:,.6f}" for price in row.ohlcv[:4]]

    if name == "Investing.com":
        rows = [
            quoted((row.text("%m/%d/%Y"), *(prices(row)[at] for at in (3, 0, 1, 2)), f"{row.volume / 1000:,.9f}K", "-1.02%"))
            for row in NEWEST_FIRST
        ]
        return b"\xef\xbb\xbf" + csv_bytes(rows, '"Date","Price","Open","High","Low","Vol.","Change %"')
    if name == "Yahoo":
        header = "Date\tOpen\tHigh\tLow\tClose Close price adjusted for splits.\tAdj Close Adjusted close price.\tVolume"
        rows = [[row.text("%b %d, %Y"), *prices(row), "1.00", f"{row.volume:,.6f}"] for row in NEWEST_FIRST]
        return csv_bytes(rows, header, "\t")
    rows = [[row.text("%m/%d/%Y"), *quoted((prices(row, "$")[3], f"{row.volume:.6f}", *prices(row, "$")[:3]))] for row in NEWEST_FIRST]
    return csv_bytes(rows, "Date,Close/Last,Volume,Open,High,Low")


@pytest.mark.parametrize("name", ["Investing.com", "Yahoo", "Nasdaq"])
def test_web_tables_are_read(name: str) -> None:
    found = read_candles(web_table(name), "Bitcoin Historical Data.csv", symbol="BTCUSD", interval="1d").candles
    np.testing.assert_array_equal(found.open_time, CANDLES.open_time)
    np.testing.assert_allclose(found.columns, CANDLES.columns, rtol=1e-6)


def test_decimal_commas_with_a_factor() -> None:
    data = csv_bytes(
        [
            [row.time, *(f"{price:.6f}".replace(".", ",") for price in row.ohlcv[:4]), f"{row.volume / 1000:.9f}K".replace(".", ",")]
            for row in NEWEST_FIRST
        ],
        "date;open;high;low;close;volume",
        ";",
    )
    found = read_candles(data, "BTCUSD-1d.csv").candles
    np.testing.assert_allclose(found.columns, CANDLES.columns, rtol=1e-6)


def test_a_unit_that_is_unknown_is_rejected() -> None:
    with pytest.raises(CandleError, match="open must be a number"):
        read_candles(
            csv_bytes([(row.time, f"{row.open} apples", *row.ohlcv[1:]) for row in NEWEST_FIRST], "date,open,high,low,close,volume"),
            "BTCUSD-1d.csv",
        )
