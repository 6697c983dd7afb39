"""The candles of which the layouts of all sources are written, and helpers that write them."""

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from coinfarm.candles.candles import Candles
from coinfarm.candles.synthetic import SyntheticMarket, generate

START_MS = 1_704_153_600_000  # 2024-01-02
SYMBOL = "BTCUSDT"
TRUTH = replace(generate("DEMOUSD", "1m", START_MS, 60, seed=3, market=SyntheticMarket(volume=2.0)), symbol=SYMBOL)
"""Sixty minutes, of which each layout has all."""


@dataclass(frozen=True)
class Row:
    """One candle, with what some sources add."""

    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float

    @property
    def quote(self) -> float:
        """The volume times a price between low and high."""
        return round(self.volume * self.vwap, 6)

    @property
    def vwap(self) -> float:
        return (self.high + self.low) / 2

    @property
    def seconds(self) -> int:
        return self.time // 1000

    @property
    def close_time(self) -> int:
        return self.time + 59_999

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.time / 1000, UTC)

    def text(self, pattern: str = "%Y-%m-%d %H:%M:%S", *, shift_hours: float = 0) -> str:
        return (self.at + timedelta(hours=shift_hours)).strftime(pattern)

    @property
    def ohlcv(self) -> tuple[float, ...]:
        return self.open, self.high, self.low, self.close, self.volume


def rows_of(candles: Candles) -> list[Row]:
    return [Row(*values) for values in zip(*(column.tolist() for column in (candles.open_time, *candles.columns)), strict=True)]


ROWS = rows_of(TRUTH)


@dataclass(frozen=True)
class Layout:
    """A file of one source: its content, its name, and the options that a user must give.

    `rejected` is a word of the message if the right outcome is a refusal; otherwise the candles are `TRUTH`.
    """

    source: str
    shape: str
    file_name: str
    data: bytes
    symbol: str | None = None
    interval: str | None = None
    timezone: str | None = None
    rejected: str | None = None
    noted: str | None = None


def csv_bytes(rows: Iterable[Sequence[Any]], header: str | None = None, delimiter: str = ",", before: str = "") -> bytes:
    lines = [delimiter.join(map(str, row)) for row in rows]
    return (before + "\n".join([*([header] if header else []), *lines]) + "\n").encode()


def json_bytes(document: Any) -> bytes:
    return json.dumps(document).encode()


def zip_bytes(members: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return sink.getvalue()


def each(make: Callable[[Row], Any], *, newest_first: bool = False) -> list[Any]:
    return [make(row) for row in (reversed(ROWS) if newest_first else ROWS)]


def texts(values: Iterable[float]) -> list[str]:
    return [f"{value:g}" if value == int(value) else repr(value) for value in values]
