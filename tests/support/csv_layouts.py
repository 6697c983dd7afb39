"""CSV layouts of tools and of people's own tables."""

import gzip

from tests.support.layout_rows import ROWS, Layout, csv_bytes, each

_NAMES = "open_time,open,high,low,close,volume"


def _plain(time: object) -> list[tuple[object, ...]]:
    return each(lambda row: (time(row), *row.ohlcv))  # type: ignore[operator]


_STANDARD = csv_bytes(_plain(lambda row: row.time), _NAMES)


def _european(number: float) -> str:
    return f"{number:,.8f}".replace(",", " ").replace(".", ",").replace(" ", ".")


CSV_LAYOUTS = [
    Layout(
        "ccxt",
        "pandas DataFrame of fetch_ohlcv",
        "BTC_USDT-1m.csv",
        csv_bytes(_plain(lambda row: row.time), "timestamp,open,high,low,close,volume"),
    ),
    Layout(
        "pandas",
        "DatetimeIndex",
        "BTCUSDT-1m.csv",
        csv_bytes(_plain(lambda row: row.text("%Y-%m-%d %H:%M:%S+00:00")), "date,open,high,low,close,volume"),
    ),
    Layout(
        "pandas",
        "index of row numbers",
        "BTCUSDT-1m.csv",
        csv_bytes([(at, row.time, *row.ohlcv) for at, row in enumerate(ROWS)], f",{_NAMES}"),
    ),
    Layout("CSV", "our own columns", "BTCUSDT-1m.csv", _STANDARD),
    Layout("CSV", "no header, six columns", "BTCUSDT-1m.csv", csv_bytes(_plain(lambda row: row.time))),
    Layout(
        "CSV",
        "no header, close and open exchanged",
        "BTCUSDT-1m.csv",
        csv_bytes(each(lambda row: (row.time, row.close, row.high, row.low, row.open, row.volume))),
        rejected="exchanged",
    ),
    Layout(
        "CSV",
        "semicolons, decimal commas",
        "BTCUSDT-1m.csv",
        csv_bytes(each(lambda row: (row.time, *(str(value).replace(".", ",") for value in row.ohlcv))), _NAMES.replace(",", ";"), ";"),
    ),
    Layout(
        "CSV",
        "decimal commas, points for thousands",
        "BTCUSDT-1m.csv",
        csv_bytes(
            each(lambda row: (row.text("%d.%m.%Y %H:%M"), *map(_european, row.ohlcv))),
            "Datum;Open;High;Low;Close;Volume".replace("Datum", "Date"),
            ";",
        ),
    ),
    Layout(
        "CSV",
        "commas for thousands, quoted",
        "BTCUSDT-1m.csv",
        csv_bytes(each(lambda row: (row.time, *(f'"{value:,.8f}"' for value in row.ohlcv))), _NAMES),
    ),
    Layout(
        "CSV",
        "tabs, blanks, capitals",
        "BTCUSDT-1m.tsv",
        csv_bytes(_plain(lambda row: f" {row.text()} "), "DATE\tOPEN\tHIGH\tLOW\tCLOSE\tVOLUME", "\t"),
    ),
    Layout(
        "CSV",
        "pipes, comments, blank lines",
        "BTCUSDT-1m.txt",
        csv_bytes(_plain(lambda row: row.seconds), "ts|o|h|l|c|v", "|", before="# exported\n\n# by hand\n"),
    ),
    Layout("CSV", "byte order mark, Windows lines", "BTCUSDT-1m.csv", b"\xef\xbb\xbf" + _STANDARD.replace(b"\n", b"\r\n")),
    Layout("CSV", "UTF-16", "BTCUSDT-1m.csv", _STANDARD.decode().encode("utf-16")),
    Layout("CSV", "Excel's sep= line", "BTCUSDT-1m.csv", b"sep=;\n" + _STANDARD.replace(b",", b";")),
    Layout(
        "CSV",
        "month/day/year",
        "BTCUSDT-1m.csv",
        csv_bytes(_plain(lambda row: row.text("%m/%d/%Y %I:%M:%S %p")), "Date,Open,High,Low,Close,Volume"),
        rejected="day/month",
    ),
    Layout(
        "CSV",
        "date and time in two columns",
        "BTCUSDT-1m.csv",
        csv_bytes(each(lambda row: (row.text("%Y-%m-%d"), row.text("%H:%M"), *row.ohlcv)), "Date,Time,Open,High,Low,Close,Volume"),
    ),
    Layout(
        "CSV",
        "close times only",
        "BTCUSDT-1m.csv",
        csv_bytes(_plain(lambda row: row.close_time), "close_time,open,high,low,close,volume"),
        noted="close times",
    ),
    Layout(
        "CSV", "close times as open times", "BTCUSDT-1m.csv", csv_bytes(_plain(lambda row: row.close_time), _NAMES), noted="close times"
    ),
    Layout(
        "CSV",
        "newest first, nanoseconds",
        "BTCUSDT-1m.csv",
        csv_bytes(each(lambda row: (row.time * 1_000_000, *row.ohlcv), newest_first=True), _NAMES),
        noted="newest first",
    ),
    Layout("CSV", "identical duplicates", "BTCUSDT-1m.csv", _STANDARD + csv_bytes(_plain(lambda row: row.time)[-3:]), noted="3 identical"),
    Layout("CSV", "gzip, whatever its name", "BTCUSDT-1m.csv", gzip.compress(_STANDARD)),
    Layout(
        "CSV",
        "joined files, header repeated",
        "BTCUSDT-1m.csv",
        _STANDARD[: _STANDARD.index(b"\n", 900) + 1] + _NAMES.encode() + b"\n" + _STANDARD[_STANDARD.index(b"\n", 900) + 1 :],
    ),
]
