"""The one reader of candles: from a table of any source to validated candles, with what was assumed, dropped and found."""

import re
import time
from dataclasses import dataclass

import numpy as np

from coinfarm.candles.candles import Candles
from coinfarm.candles.interval import interval_ms
from coinfarm.candles.sources import cleaning, confirmation, outliers, volumes
from coinfarm.candles.sources.columns import meant_columns, require_rows
from coinfarm.candles.sources.faults import check_candles
from coinfarm.candles.sources.markets import agreed_interval, agreed_symbol, distinct_texts
from coinfarm.candles.sources.names import interval_from_text
from coinfarm.candles.sources.raw_table import DATA_FRAME, RawTable
from coinfarm.candles.sources.recognition import recognise
from coinfarm.candles.sources.zones import Zone
from coinfarm.candles.symbol import canonical_symbol, split_symbol
from coinfarm.errors import CandleError, CoinfarmError, ErrorDetail
from image_render.windows import Columns

_SAYS_UTC = re.compile("gmt|utc", re.IGNORECASE)


class MissingSeriesName(CoinfarmError):
    """Candles whose symbol is neither in the name of their file nor in it, and was not given by the caller."""


@dataclass(frozen=True)
class Expected:
    """What is known before reading: by the caller (symbol, interval, time zone) and by the file's name."""

    symbol: str | None = None
    interval: str | None = None
    timezone: str | None = None
    named_symbol: str | None = None
    named_interval: str | None = None

    @property
    def any_symbol(self) -> str | None:
        return canonical_symbol(self.symbol) if self.symbol else self.named_symbol

    @property
    def any_interval(self) -> str | None:
        return interval_from_text(self.interval) or self.interval if self.interval else self.named_interval


@dataclass(frozen=True)
class Reading:
    """Validated candles, the name of their source, and what the user should know: rows that were dropped, and notes, one line each.

    `general_notes` say how all candles are read, and so hold for any part of the file too.
    """

    candles: Candles
    source: str
    dropped: cleaning.DroppedRows
    other_notes: tuple[str, ...]
    general_notes: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was dropped, sorted, assumed or looks wrong."""
        return (*self.dropped.notes(), *self.other_notes, *self.general_notes)


def read_table(table: RawTable, expected: Expected, missing_symbol: str | None = None) -> Reading:
    """The candles of a table.

    `missing_symbol` is the symbol if nobody says one; without it, `MissingSeriesName` is raised. Raises `CandleError` for what is no table
    of candles, and for what the data do not confirm.
    """
    zone = Zone(expected.timezone) if expected.timezone else None
    dropped = cleaning.DroppedRows()
    notes: list[str] = []
    general_notes: list[str] = []
    if not len(table):
        raise CandleError(ErrorDetail("", "has no candles"))
    symbol = agreed_symbol(expected.any_symbol, [table.symbol] if table.symbol else [])
    interval = agreed_interval(expected.any_interval, [table.interval] if table.interval else [])
    step_ms = interval_ms(interval) if interval else None
    found = recognise(table, split_symbol(symbol).base if symbol else None, zone, step_ms)
    if "symbol" in found.mapping:
        symbol = agreed_symbol(symbol, distinct_texts(table.columns[found.mapping["symbol"]]))
    if "interval" in found.mapping:
        interval = agreed_interval(interval, distinct_texts(table.columns[found.mapping["interval"]]))
    symbol = symbol or missing_symbol
    if symbol is None:
        raise MissingSeriesName("neither the name nor the content says which symbol it is: rename it like BTCUSD-1m.parquet")
    columns = meant_columns(table, found.source, found.mapping, zone)
    columns = cleaning.finished(columns, dropped)
    columns = cleaning.without_gaps_in_rows(columns, dropped)
    require_rows(columns)
    columns = confirmation.open_stamped(columns, interval_ms(interval) if interval else None, general_notes.append)
    columns = cleaning.in_time_order(columns, notes.append)
    columns = cleaning.without_duplicates(columns, dropped)
    outliers.check_strays(columns)
    interval = confirmation.confirmed_interval(columns, interval)
    step_ms = interval_ms(interval)
    columns = cleaning.on_grid(columns, step_ms, dropped)
    confirmation.check_one_interval(columns, step_ms)
    confirmation.check_grid(columns, step_ms)
    confirmation.check_close_times(columns, step_ms)
    if zone is None:
        confirmation.check_clock(columns, step_ms)
    check_candles(columns, interval)
    confirmation.check_ranges(columns)
    confirmation.check_order(columns, step_ms)
    columns = volumes.coins_not_contracts(columns, general_notes.append)
    volumes.check_contracts(columns, symbol)
    volumes.check_volumes(columns)
    columns = confirmation.drop_unfinished(columns, step_ms, round(time.time() * 1000), notes.append)
    outliers.warn_of_bad_ticks(columns, notes.append)
    outliers.check_jumps(columns, notes.append)
    if columns.is_clock and zone is None and table.form != DATA_FRAME and not any(_SAYS_UTC.search(name) for name in table.names or ()):
        general_notes.append("the times have no zone: taken as UTC, unless --timezone says another")
    if found.source.note:
        general_notes.append(found.source.note)
    values = Columns(*(np.ascontiguousarray(columns.arrays[name]) for name in Columns._fields))
    candles = Candles(symbol, interval, np.ascontiguousarray(columns.open_time), values, np.zeros(len(columns), np.bool_))
    return Reading(candles, found.source.name, dropped, tuple(notes), tuple(general_notes))
