"""How a CSV file is written: delimiter, decimal sign, thousands separators, and where its header and its first row are."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from coinfarm.candles.sources.headers import looks_like_header, normalised
from coinfarm.candles.sources.quantities import without_unit
from coinfarm.errors import CandleError, ErrorDetail, shortened

_DELIMITERS = ";\t|,"
_MAX_PREAMBLE_LINES = 60
_SAMPLE_ROWS = 300
_MIN_CELLS = 5
_MAX_CELLS = 500
_COMMENT = re.compile(r"\s*(#|//|https?://|--)")
_NUMBER = re.compile(r"[-+]?(\d[\d.,' \u00a0\u202f]*)?\d(?:[eE][-+]?\d+)?[.,]?|[-+]?[.,]\d+|nan|null|", re.IGNORECASE)
_GROUPED = re.compile(r"[-+]?\d{1,3}(?:([.,' \u00a0\u202f])\d{3})(?:\1\d{3})*(?:[.,]\d+)?")


@dataclass(frozen=True)
class Dialect:
    """`first_row` is the number of lines before the first row; `names` is None without a header."""

    delimiter: str
    first_row: int
    cells: int
    names: tuple[str, ...] | None
    decimal: str = "."
    thousands: str = ""
    symbol: str | None = None


def detect_dialect(sample: str) -> Dialect:
    """The dialect of a file that begins with `sample`, complete lines. Raises `CandleError` if no line has the columns of candles."""
    lines = sample.splitlines()
    separator = ""
    previous: tuple[int, list[str]] | None = None
    for at, line in enumerate(lines[:_MAX_PREAMBLE_LINES]):
        if not line.strip() or _COMMENT.match(line):
            continue
        if match := re.fullmatch(r"sep=(.)", line.strip()):
            separator = match[1]
            continue
        for delimiter in separator or _DELIMITERS:
            if line.count(delimiter) > _MAX_CELLS:
                raise CandleError(ErrorDetail("", f"has a line of {line.count(delimiter):,} cells, more than {_MAX_CELLS}"))
            cells = split_line(line, delimiter)
            if looks_like_header(cells):
                return _with_header(lines, at, delimiter, cells)
            if _is_row(cells):
                header = previous[1] if previous and not _is_row(previous[1]) else None
                names = _names(split_line(lines[previous[0]], delimiter), len(cells)) if header and previous else None
                return _dialect(lines, at, delimiter, names)
        previous = at, split_line(line, ",")
    shown = shortened(next((line.strip() for line in lines if line.strip()), ""), 60)
    raise CandleError(
        ErrorDetail("", f"has no line with the columns of candles (time, open, high, low, close, volume); it begins with {shown!r}")
    )


def split_line(line: str, delimiter: str) -> list[str]:
    """The cells of a line, without quotes and blanks around them."""
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])]


def _with_header(lines: Sequence[str], at: int, delimiter: str, cells: list[str]) -> Dialect:
    following = [split_line(line, delimiter) for line in lines[at + 1 : at + 3]]
    if normalised(cells[0]) == "price" and following and following[0][:1] == ["Ticker"]:
        tickers = sorted({cell for cell in following[0][1:] if cell})
        if len(tickers) > 1:
            raise CandleError(
                ErrorDetail("", f"has the candles of {len(tickers)} symbols ({', '.join(tickers[:4])}): save one file for each")
            )
        names = ("yfinance", *cells[1:])
        return _dialect(lines, at + 3, delimiter, names, tickers[0] if tickers else None)
    first = next((row for row in range(at + 1, len(lines)) if lines[row].strip()), at + 1)
    count = len(split_line(lines[first], delimiter)) if first < len(lines) else len(cells)
    return _dialect(lines, at + 1, delimiter, _names(cells, count))


def _names(cells: list[str], count: int) -> tuple[str, ...]:
    """The names of `count` columns: R writes none for its row names, and some files end each line with a delimiter."""
    if count == len(cells) + 1:
        is_index_first = normalised(cells[0]) in ("open", "o")
        cells = ["", *cells] if is_index_first else [*cells, ""]
    return tuple(cells)


def _dialect(lines: Sequence[str], first_row: int, delimiter: str, names: tuple[str, ...] | None, symbol: str | None = None) -> Dialect:
    rows = [split_line(line, delimiter) for line in lines[first_row : first_row + _SAMPLE_ROWS] if line.strip()]
    decimal, thousands = _number_signs([cell for row in rows for cell in row], delimiter)
    count = len(names) if names else len(rows[0])
    return Dialect(delimiter, first_row, count, names, decimal, thousands, symbol)


def _is_row(cells: Sequence[str]) -> bool:
    return len(cells) >= _MIN_CELLS and sum(bool(cell) and bool(_NUMBER.fullmatch(cell)) for cell in cells) >= _MIN_CELLS


def _number_signs(cells: list[str], delimiter: str) -> tuple[str, str]:
    """The decimal sign and the thousands separator. Raises `CandleError` if a comma may be either."""
    numbers = [cell for cell in map(without_unit, cells) if _NUMBER.fullmatch(cell) and re.search(r"[.,' \u00a0\u202f]", cell)]
    grouped = {match[1] for cell in numbers if (match := _GROUPED.fullmatch(cell))}
    blanks = "".join(sorted(grouped & set("' \u00a0\u202f")))
    both = [cell for cell in numbers if "." in cell and "," in cell]
    if both:
        return (",", "." + blanks) if all(cell.rindex(",") > cell.rindex(".") for cell in both) else (".", "," + blanks)
    commas = [cell for cell in numbers if "," in cell]
    if not commas:
        several_dots = any(cell.count(".") > 1 and _GROUPED.fullmatch(cell) for cell in numbers)
        return (",", "." + blanks) if several_dots else (".", blanks)
    if any(cell.count(",") > 1 for cell in commas):
        return ".", "," + blanks
    if any(not re.fullmatch(r"[-+]?[1-9]\d{0,2},\d{3}", cell) for cell in commas):
        return ",", blanks
    raise CandleError(
        ErrorDetail(
            "", f"a comma in {commas[0]!r} may separate decimals or thousands: write decimals with a point (delimiter {delimiter!r})"
        )
    )
