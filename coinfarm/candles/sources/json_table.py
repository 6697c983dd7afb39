"""JSON as columns: rows in arrays or objects, alone or inside an exchange's response, line by line, or as pandas writes frames."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from coinfarm.candles.sources.headers import meanings
from coinfarm.candles.sources.json_arrays import MIN_BYTES, table_from_arrays
from coinfarm.candles.sources.raw_table import RawColumn, RawTable
from coinfarm.errors import CandleError, ErrorDetail, TooLarge, shortened

_MAX_DEPTH = 5
_MIN_FIELDS = 5
_LINES_AT_ONCE = 10_000
_ERROR_KEYS = ("msg", "message", "error", "retMsg", "err-msg", "errors", "s", "label", "detail")
_SYMBOL_KEYS = ("symbol", "ticker", "pair", "product_id", "instId", "currency_pair")
_INTERVAL_KEYS = ("interval", "timeframe", "bar", "granularity")
_KRAKEN_PAIR = re.compile(r"X([A-Z]{3,4})Z([A-Z]{3})")
_HTX_CHANNEL = re.compile(r"market\.(?P<symbol>\w+)\.kline\.(?P<interval>\w+)")


def table_from_json(data: bytes, max_rows: int) -> RawTable:
    """The candles of a JSON document or of JSON lines. Raises `CandleError`, and `TooLarge` for more than `max_rows`."""
    if len(data) >= MIN_BYTES and (table := table_from_arrays(data, max_rows)) is not None:
        return table
    try:
        return table_from_document(json.loads(data), max_rows)
    except (ValueError, RecursionError) as error:
        rows = _json_lines(data)
        if rows is None:
            cut = ": it was cut off" if isinstance(error, json.JSONDecodeError) and error.pos >= len(error.doc) - 1 else ""
            raise CandleError(ErrorDetail("", f"is not JSON{cut}: {shortened(str(error), 200)}")) from None
        return table_from_rows(rows, max_rows)


def table_from_document(document: Any, max_rows: int) -> RawTable:
    """The candles anywhere in a parsed document. Raises as `table_from_json`."""
    if isinstance(document, list):
        if document and all(isinstance(item, dict) for item in document) and not _is_row(document[0]):
            inner = [found for item in document for found in _tables(item, _Around(), 1, max_rows)]
            return _only(inner, document)
        return table_from_rows(document, max_rows)
    return _only(list(_tables(document, _Around(), 0, max_rows)), document)


def table_from_rows(rows: Sequence[Any], max_rows: int, symbol: str | None = None, interval: str | None = None) -> RawTable:
    """Rows that are all arrays or all objects. Raises `CandleError`, which names the first that is not."""
    if not rows:
        raise CandleError(ErrorDetail("/candles", "has no candles"))
    if len(rows) > max_rows:
        raise TooLarge(f"the file has {len(rows):,} rows, more than {max_rows:,}: split it")
    if isinstance(rows[0], list):
        return RawTable([RawColumn.of_cells(cells) for cells in _transposed(rows)], symbol=symbol, interval=interval)
    if not isinstance(rows[0], dict):
        raise CandleError(ErrorDetail("/candles/0", f"must be an array or an object, not {json_kind(rows[0])}"))
    names = tuple(rows[0])
    for at, row in enumerate(rows):
        if not isinstance(row, dict):
            raise CandleError(ErrorDetail(f"/candles/{at}", f"must be an object, as the first candle is, not {json_kind(row)}"))
    columns = [RawColumn.of_cells([row.get(name) for row in rows]) for name in names]
    return RawTable(columns, names, symbol=symbol, interval=interval)


def json_kind(value: Any) -> str:
    """The JSON name of a value's type."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


class _Around:
    """What a document says around its rows."""

    def __init__(self, symbol: str | None = None, interval: str | None = None) -> None:
        self.symbol = symbol
        self.interval = interval

    def inside(self, document: dict[str, Any]) -> "_Around":
        channel = _HTX_CHANNEL.fullmatch(str(document.get("ch", "")))
        if channel:
            return _Around(channel["symbol"], channel["interval"])
        return _Around(self._first(document, _SYMBOL_KEYS) or self.symbol, self._first(document, _INTERVAL_KEYS) or self.interval)

    @staticmethod
    def _first(document: dict[str, Any], keys: Sequence[str]) -> str | None:
        return next((document[key] for key in keys if isinstance(document.get(key), str)), None)


def _tables(document: Any, around: _Around, depth: int, max_rows: int) -> Iterator[RawTable]:
    """Every table in a document."""
    if not isinstance(document, dict) or depth > _MAX_DEPTH:
        return
    around = around.inside(document)
    frame = _frame(document, around, max_rows)
    if frame is not None:
        yield frame
        return
    for key, value in document.items():
        if isinstance(value, list) and value and _is_row(value[0]):
            if key.isdigit():
                raise CandleError(
                    ErrorDetail("", f'has rows under "{key}", as Cryptowatch, whose first field is the close time: add a header')
                )
            symbol = around.symbol or _symbol_of_key(key)
            yield table_from_rows(value, max_rows, symbol, around.interval)
        elif isinstance(value, dict):
            yield from _tables(value, _Around(around.symbol or _symbol_of_key(key), around.interval), depth + 1, max_rows)


def _only(found: list[RawTable], document: Any) -> RawTable:
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        symbols = ", ".join(sorted({table.symbol for table in found if table.symbol})[:4])
        raise CandleError(
            ErrorDetail("", f"has {len(found)} series of candles{f' ({symbols})' if symbols else ''}: save one file for each")
        )
    if isinstance(document, dict):
        said = next((document[key] for key in _ERROR_KEYS if document.get(key)), None)
        keys = shortened(", ".join(map(str, document)), 100)
        if said and not any(isinstance(value, list) and len(value) > 3 for value in document.values()):
            shown = shortened(json.dumps(said), 150)
            raise CandleError(ErrorDetail("", f"is a response without candles, which says {shown}: ask the exchange again"))
        raise CandleError(ErrorDetail("", f"has no candles: it is a JSON object with {keys}"))
    if isinstance(document, list) and document and isinstance(document[0], dict):
        names = shortened(", ".join(map(str, document[0])), 100)
        raise CandleError(ErrorDetail("", f"has no candles: its objects have {names}, but no open, high, low and close"))
    raise CandleError(ErrorDetail("", f"must be a JSON array of candles, not {json_kind(document)}"))


def _is_row(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) >= _MIN_FIELDS and not isinstance(value[0], (list, dict))
    return isinstance(value, dict) and _has_prices(list(value))


def _has_prices(names: list[str]) -> bool:
    return {"open", "high", "low", "close"} <= meanings([str(name) for name in names], {}, None).keys()


def _frame(document: dict[str, Any], around: _Around, max_rows: int) -> RawTable | None:
    """A frame as pandas writes it (split, columns, index, table), or an object of columns; None for other objects."""
    if {"columns", "data"} <= document.keys() and isinstance(document["columns"], list) and isinstance(document["data"], list):
        rows = document["data"]
        index = document.get("index")
        cells = list(_transposed(rows)) if rows else []
        names = [*map(str, document["columns"]), *([""] if index else [])]
        columns = [RawColumn.of_cells(column) for column in (*cells, *([index] if index else []))]
        return RawTable(columns, tuple(names), symbol=around.symbol, interval=around.interval) if len(names) == len(columns) else None
    if _has_prices(list(document)):
        values = list(document.values())
        if all(isinstance(value, dict) for value in values):  # orient="columns"
            index = list(values[0])
            columns = [RawColumn.of_cells([value.get(key) for key in index]) for value in values]
            return RawTable([*columns, RawColumn.of_cells(index)], (*document, ""), symbol=around.symbol, interval=around.interval)
        lists = {name: value for name, value in document.items() if isinstance(value, list)}
        if _has_prices(list(lists)) and len({len(value) for value in lists.values()}) == 1:
            return RawTable(
                [RawColumn.of_cells(value) for value in lists.values()], tuple(lists), symbol=around.symbol, interval=around.interval
            )
        return None
    first = next(iter(document.values()), None)
    if len(document) > 1 and isinstance(first, dict) and _has_prices(list(first)) and all(type(row) is dict for row in document.values()):
        rows = [{"": key, **row} for key, row in document.items()]  # orient="index"
        return table_from_rows(rows, max_rows, around.symbol, around.interval)
    return None


def _symbol_of_key(key: str) -> str | None:
    """The pair in `{"XXBTZUSD": [...]}` and `{"BTC/USD": [...]}`."""
    match = _KRAKEN_PAIR.fullmatch(key)
    if match:
        return f"{match[1]}/{match[2]}"
    return key if re.fullmatch(r"[A-Z0-9]{2,10}/[A-Z0-9]{3,5}", key) else None


def _json_lines(data: bytes) -> list[Any] | None:
    """None unless each line is a JSON array or object. To parse many at once is several times as fast."""
    lines = [line for line in data.splitlines() if line.strip()]
    rows: list[Any] = []
    for at in range(0, len(lines), _LINES_AT_ONCE):
        block = lines[at : at + _LINES_AT_ONCE]
        try:
            found = json.loads(b"[%b]" % b",".join(block))
        except (ValueError, RecursionError):
            return None
        if len(found) != len(block) or not all(isinstance(row, (list, dict)) for row in found):
            return None
        rows += found
    return rows if len(rows) > 1 else None


def _transposed(rows: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """The columns of arrays of the same length."""
    length = len(rows[0])
    for at, row in enumerate(rows):
        if not isinstance(row, list):
            raise CandleError(ErrorDetail(f"/candles/{at}", f"must be an array, as the first candle is, not {json_kind(row)}"))
        if len(row) != length:
            raise CandleError(ErrorDetail(f"/candles/{at}", f"has {len(row)} fields; the first candle has {length}"))
    return zip(*rows, strict=True)
