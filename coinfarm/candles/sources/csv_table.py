"""CSV text as columns, read by PyArrow."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from coinfarm.candles.sources.arrow_columns import raw_column
from coinfarm.candles.sources.catalogue import SOURCE_NAMES
from coinfarm.candles.sources.csv_dialect import Dialect, detect_dialect
from coinfarm.candles.sources.headers import INDEX_NAMES, meanings, normalised
from coinfarm.candles.sources.raw_table import RawColumn, RawTable
from coinfarm.errors import CandleError, ErrorDetail, TooLarge, shortened

if TYPE_CHECKING:
    import pyarrow as pa

_SAMPLE_BYTES = 1 << 16
_FLOATS = ("open", "high", "low", "close", "volume", "quote_volume", "tick_volume", "count", "vwap")
_TEXTS = ("symbol", "interval", "clock", "confirm")


def table_from_csv(data: bytes, max_rows: int) -> RawTable:
    """The columns of CSV text; of those with a name, the ones that may mean something.

    Raises `CandleError`, and `TooLarge` for more than `max_rows` lines.
    """
    lines = data.count(b"\n")
    if lines > max_rows:
        raise TooLarge(f"the file has {lines:,} rows, more than {max_rows:,}: split it")
    dialect = detect_dialect(_sample(data))
    names = [f"f{at}" for at in range(dialect.cells)]
    kinds, wanted = _kinds(dialect)
    locate = _line_locator(data, dialect.first_row)
    bad_rows: list[Any] = []
    table = None
    if not dialect.thousands:
        table = _read(data, dialect, names, {names[at]: kind for at, kind in kinds.items()}, wanted, bad_rows)
    if table is None:
        bad_rows.clear()
        table = _read(data, dialect, names, {names[at]: "string" for at in wanted}, wanted, bad_rows)
    if table is None:
        raise CandleError(ErrorDetail("", "is not a CSV file that can be read: check its quotes"))
    _check_bad_rows(bad_rows, dialect, len(table))
    columns = [_column(table[names[at]], dialect, at in kinds and kinds[at] == "double") for at in wanted]
    found_names = tuple(dialect.names[at] for at in wanted) if dialect.names else None
    return _without_repeated_headers(RawTable(columns, found_names, "CSV", dialect.symbol, None, locate))


def _sample(data: bytes) -> str:
    sample = data[:_SAMPLE_BYTES]
    if len(sample) < len(data):
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    return sample.decode(errors="replace")


def _kinds(dialect: Dialect) -> tuple[dict[int, str], list[int]]:
    """The Arrow types of columns whose meaning is known, and the columns to read."""
    if dialect.names is None:
        return {}, list(range(dialect.cells))
    found = meanings(dialect.names, {}, None)
    kinds = {at: "double" for meaning in _FLOATS for at in found.get(meaning, [])}
    kinds |= {at: "string" for meaning in _TEXTS for at in found.get(meaning, [])}
    by_name = {normalised(name): at for at, name in enumerate(dialect.names)}
    if {"date", "time"} <= by_name.keys():
        kinds |= {by_name[name]: "string" for name in ("date", "time")}
    is_index = [at for at, name in enumerate(dialect.names) if normalised(name) in INDEX_NAMES]
    every = {at for columns in found.values() for at in columns} | set(is_index[:1])
    # names that mean something only in one source, such as id and amount
    every |= {at for at, name in enumerate(dialect.names) if normalised(name) in SOURCE_NAMES}
    return kinds, sorted(every) or list(range(dialect.cells))


def _read(
    data: bytes, dialect: Dialect, names: list[str], kinds: dict[str, str], wanted: Sequence[int], bad_rows: list[Any]
) -> "pa.Table | None":
    import pyarrow as pa
    from pyarrow import csv

    def record(row: Any) -> str:
        bad_rows.append(row)
        return "skip" if len(bad_rows) < 100 else "error"

    types = {"double": pa.float64(), "string": pa.string()}
    try:
        return csv.read_csv(
            pa.BufferReader(data),
            read_options=csv.ReadOptions(use_threads=False, skip_rows=dialect.first_row, column_names=names),
            parse_options=csv.ParseOptions(delimiter=dialect.delimiter, invalid_row_handler=record),
            convert_options=csv.ConvertOptions(
                column_types={name: types[kind] for name, kind in kinds.items()},
                include_columns=[names[at] for at in wanted],
                decimal_point=dialect.decimal,
                strings_can_be_null=True,
                null_values=["", "NaN", "nan", "NA", "N/A", "null", "None", "-"],
            ),
        )
    except (pa.ArrowException, KeyError):
        return None


def _column(column: "pa.ChunkedArray", dialect: Dialect, is_number: bool) -> RawColumn:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(column.type) and (dialect.thousands or dialect.decimal != "."):
        plain = column
        for sign in dialect.thousands:
            plain = pc.replace_substring(plain, sign, "")
        if dialect.decimal != ".":
            plain = pc.replace_substring(plain, dialect.decimal, ".")
        try:
            return raw_column(pc.utf8_trim_whitespace(plain).cast(pa.float64()))
        except pa.ArrowInvalid:
            if is_number:
                return raw_column(pc.utf8_trim_whitespace(plain))
    if pa.types.is_string(column.type):
        column = pc.utf8_trim_whitespace(column)
    return raw_column(column)


def _check_bad_rows(bad_rows: list[Any], dialect: Dialect, rows: int) -> None:
    """Lines with another number of cells: comments are ignored, others are an error."""
    bad_rows = [row for row in bad_rows if not row.text.lstrip().startswith(("#", "//"))]
    if not bad_rows:
        return
    first = bad_rows[0]
    at = first.number
    shown = f"a line has {first.actual_columns} cells instead of {dialect.cells}: {shortened(first.text, 60)!r}"
    where = f"line {at}: " if at else ""
    more = f" (and {len(bad_rows) - 1:,} more)" if len(bad_rows) > 1 else ""
    is_cut = len(bad_rows) == 1 and rows and first.actual_columns < dialect.cells
    raise CandleError(
        ErrorDetail("", f"{where}{shown}{more}{'. If it is the last one, the file was cut off: download it again' if is_cut else ''}")
    )


def _line_locator(data: bytes, lines_before: int) -> Callable[[int], str]:
    """Where a row is. Blank lines are no rows, so the line is looked for when a message needs it."""

    def locate(row: int) -> str:
        at = -1
        for number, line in enumerate(data.splitlines(), 1):
            at += number > lines_before and bool(line.strip())
            if at == row:
                return f"line {number}"
        return f"row {row}"

    return locate


def _without_repeated_headers(table: RawTable) -> RawTable:
    """The rows that do not repeat the header, as files that were joined have them."""
    if table.names is None or not all(column.is_text for column in table.columns):
        return table
    first = np.array([str(cell).strip() == table.names[0] for cell in table.columns[0].values.tolist()], np.bool_)
    if not first.any():
        return table
    rows = np.flatnonzero(~first)
    return RawTable(
        [column.take(rows) for column in table.columns],
        table.names,
        table.form,
        table.symbol,
        table.interval,
        lambda row: table.locate(int(rows[row])),
    )
