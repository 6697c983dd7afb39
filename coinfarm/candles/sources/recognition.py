"""Which source a table comes from, and so what its columns mean: by names, or for rows without names by what the data show."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from coinfarm.candles.sources import evidence
from coinfarm.candles.sources.catalogue import NAMED_SOURCES, ROW_SOURCES, STANDARD_ROW, Source
from coinfarm.candles.sources.cleaning import in_time_order, without_gaps_in_rows
from coinfarm.candles.sources.columns import MeantColumns, meant_columns
from coinfarm.candles.sources.headers import INDEX_NAMES, meanings, normalised
from coinfarm.candles.sources.raw_table import RawColumn, RawTable
from coinfarm.candles.sources.zones import Zone
from coinfarm.errors import CandleError, ErrorDetail

_SAMPLE_ROWS = 3000
_MAX_TRADES = 1e8
"""Larger numbers of trades in one candle are times."""
_CLOCK = re.compile(r"\d\d?:\d\d(:\d\d)?(\.\d+)?")
_ANY_CLOCK = re.compile(rf"{_CLOCK.pattern}|\d{{1,6}}")
"""Beside a date also 930 or 093000."""
_DATE = re.compile(r"[\d./-]{8,10}(\.0)?")
_METATRADER_DATE = re.compile(r"\d{4}\.\d\d\.\d\d")
_PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True)
class Recognised:
    """A source, and for each meaning the column that has it."""

    source: Source
    mapping: Mapping[str, int]


def recognise(table: RawTable, base: str | None, zone: Zone | None, step_ms: int | None) -> Recognised:
    """The source of a table. Raises `CandleError`, which names the file's own columns, if they are not those of candles.

    `base` is the coin of the symbol, for `Volume BTC` and `Volume USD`; `step_ms` the interval, None if it is unknown.
    """
    found = _by_name(table, base) if table.names is not None else _by_position(table, zone, step_ms)
    if found.source.needs_zone and zone is None:
        raise CandleError(
            ErrorDetail(
                "",
                f"the times of {found.source.name} are those of the broker's clock: give its time zone, such as "
                "--timezone Europe/Athens, America/New_York+7 (New York plus seven hours, as many brokers have) or UTC",
            )
        )
    return found


def _by_name(table: RawTable, base: str | None) -> Recognised:
    assert table.names is not None
    known = {normalised(name) for name in table.names}
    source = next(source for source in NAMED_SOURCES if known >= set(source.header.split()))
    found = meanings(table.names, dict(source.means), base)
    mapping = {meaning: columns[0] for meaning, columns in found.items()}
    for meaning in (*_PRICES, "volume"):
        columns = found.get(meaning, [])
        same = [at for at in columns if normalised(table.names[at]) == normalised(table.names[columns[0]])]
        if len(same) > 1:
            raise CandleError(ErrorDetail("", f"has {len(same)} columns {table.names[same[0]]}; {table.shown_names()}"))
    _find_time(table, found, mapping)
    if "clock" in mapping and _METATRADER_DATE.fullmatch(table.columns[mapping["date"]].first_text()):
        source = replace(source, name="MetaTrader", needs_zone=True)
    source = _find_volume(table, source, mapping)
    missing = [meaning for meaning in (*_PRICES, "volume") if meaning not in mapping]
    if "open_time" not in mapping and "date" not in mapping and "close_time" not in mapping:
        missing.insert(0, "open_time")
    if missing:
        hint = " The volume is needed, because the model sees it" if missing == ["volume"] else ""
        raise CandleError(ErrorDetail("", f"has no column {', '.join(missing)}; it has {table.shown_names()}.{hint}".rstrip(".")))
    return Recognised(source, mapping)


def _find_time(table: RawTable, found: dict[str, list[int]], mapping: dict[str, int]) -> None:
    """The column of the open time, or those of the date and the time of day."""
    assert table.names is not None
    candidates = [*found.get("date", []), *found.get("open_time", [])]
    has_date = any(_DATE.fullmatch(table.columns[at].first_text()) for at in candidates)
    pattern = _ANY_CLOCK if has_date else _CLOCK
    clocks = [at for at in [*found.get("clock", []), *candidates] if pattern.fullmatch(table.columns[at].first_text())]
    plausible = [at for at in candidates if at not in clocks and _has_times(table.columns[at])]
    candidates = plausible or [at for at in candidates if at not in clocks][:1]
    mapping.pop("clock", None)
    mapping.pop("open_time", None)
    mapping.pop("date", None)
    if candidates and clocks and _DATE.fullmatch(table.columns[candidates[0]].first_text()):
        mapping |= {"date": candidates[0], "clock": clocks[0]}
    elif candidates:
        mapping["open_time"] = candidates[0]
    elif "close_time" not in mapping:
        index = [at for at, name in enumerate(table.names) if normalised(name) in INDEX_NAMES and _has_times(table.columns[at])]
        if index:
            mapping["open_time"] = index[0]


def _has_times(column: RawColumn) -> bool:
    """Whether a column may hold times: not the row numbers of an index, nor a column without values."""
    if column.values.dtype.kind in "if":
        known = column.values[np.isfinite(column.values.astype(np.float64))]
        return bool(len(known)) and bool(known.max() >= 1e7)
    return column.first_text() != "" if column.is_text else column.values.dtype.kind == "M"


def _find_volume(table: RawTable, source: Source, mapping: dict[str, int]) -> Source:
    """Ticks count as the volume where there is no other."""
    ticks = mapping.pop("tick_volume", None)
    if ticks is None:
        return source
    if "volume" in mapping:
        values = table.columns[mapping["volume"]].values
        if values.dtype.kind in "if" and np.nan_to_num(values).any():
            return source
    mapping["volume"] = ticks
    return replace(source, note="the volume counts ticks, not coins")


def _by_position(table: RawTable, zone: Zone | None, step_ms: int | None) -> Recognised:
    count = len(table.columns)
    sample = RawTable(
        [RawColumn(column.values[:_SAMPLE_ROWS], column.has_zone) for column in table.columns], form=table.form, locate=table.locate
    )
    possible = [(source, mapping) for source in ROW_SOURCES if (mapping := _mapping(source, count)) is not None]
    if count < 6:
        raise CandleError(ErrorDetail("", f"has {table.shown_names()}; a candle needs six fields: {STANDARD_ROW.replace(' ', ', ')}"))
    passed: list[tuple[int, Recognised, MeantColumns]] = []
    reasons = []
    first_error: CandleError | None = None
    is_clock_first = bool(_CLOCK.fullmatch(table.columns[1].first_text()))
    for source, mapping in possible:
        if ("clock" in mapping) != is_clock_first:
            continue
        try:
            columns = meant_columns(sample, source, mapping, zone)
            columns = in_time_order(without_gaps_in_rows(columns))
        except CandleError as error:
            first_error = first_error or error
            continue
        proofs, reason = _judge(columns, step_ms)
        if reason:
            reasons.append(f"{source.name}: {reason}")
        else:
            passed.append((proofs, Recognised(source, mapping), columns))
    if not passed:
        if first_error and not reasons:
            raise first_error
        because = f" ({'; '.join(reasons[:4])})" if reasons else ""
        raise CandleError(
            ErrorDetail(
                "",
                f"has {table.shown_names()}, whose meaning the data do not confirm{because}: add a header such as "
                f"{STANDARD_ROW.replace(' ', ',')}",
            )
        )
    most = max(proofs for proofs, _, _ in passed)
    best = [(found, columns) for proofs, found, columns in passed if proofs == most]
    if not all(_same_candles(columns, best[0][1]) for _, columns in best):
        names = " or ".join(found.source.name for found, _ in best)
        raise CandleError(ErrorDetail("", f"has {table.shown_names()}, which may be those of {names}: add a header"))
    return best[0][0]


def _same_candles(first: MeantColumns, second: MeantColumns) -> bool:
    return all(np.array_equal(first.arrays[name], second.arrays[name], equal_nan=True) for name in (*_PRICES, "volume"))


def _mapping(source: Source, count: int) -> dict[str, int] | None:
    """The meaning of each field; None if rows of the source have another number of fields."""
    required, _, optional = source.fields.partition("|")
    fields = [*required.split(), *optional.split()]
    if not len(required.split()) <= count <= len(fields):
        return None
    return {name: at for at, name in enumerate(fields[:count]) if name != "_"}


def _judge(columns: MeantColumns, step_ms: int | None) -> tuple[int, str]:
    """How many of a source's claims the data prove, and the one that they contradict, or an empty text."""
    if not len(columns):
        return 0, "no rows"
    prices, volume = columns.prices, columns.volume
    if not evidence.in_order(prices):
        return 0, "the high is not the largest or the low not the smallest price"
    step_ms = step_ms or evidence.commonest_step(columns.open_time)[0] or 60_000
    follows = evidence.opens_follow_closes(prices, columns.open_time, step_ms)
    if follows is False:
        return 0, "candles do not open where the one before closed: open and close seem exchanged"
    if evidence.is_wide(prices):
        return 0, "the high is more than one and a half times the low in most candles"
    if np.nan_to_num(volume).any() and (fault := evidence.volume_fault(volume, prices)):  # that of mark prices is named later
        return 0, fault
    proofs = int(bool(follows))
    arrays = columns.arrays
    if "close_time" in arrays:
        if not evidence.is_close_time(arrays["close_time"], columns.open_time, step_ms):
            return 0, "field 7 is not the close time"
        proofs += 2
    if "vwap" in arrays:
        if len(columns) >= 5 and not evidence.is_price(arrays["vwap"], prices) and arrays["vwap"].any():
            return 0, "field 6 is not a price"
        proofs += int(evidence.is_price(arrays["vwap"], prices))
    if "count" in arrays and "close_time" not in arrays and not _are_counts(arrays["count"]):
        return 0, "the number of trades is not whole"
    if "contracts" in arrays and "close_time" in arrays:
        dollars = evidence.contract_dollars(arrays["contracts"], volume, prices)
        return (proofs + 2, "") if dollars else (0, "the volumes are not those of contracts")
    if "quote_volume" in arrays:
        matches = evidence.is_value_of(arrays["quote_volume"], volume, prices)
        if matches is False and "close_time" not in arrays:  # a close time proves klines, whatever their turnover
            return 0, "the turnover is not the volume times the price"
        proofs += 2 * int(bool(matches))
    if "contracts" in arrays and np.array_equal(arrays["contracts"], volume):
        return 0, "the contracts are coins"
    return proofs, ""


def _are_counts(values: "np.typing.NDArray[np.float64]") -> bool:
    return bool(((values >= 0) & (values < _MAX_TRADES) & (values == np.rint(values))).all())
