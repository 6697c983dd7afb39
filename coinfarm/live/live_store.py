"""The live store: closed candles with their predictions, one Parquet file for each exchange, interval and UTC day."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from coinfarm.candles.day import DAY_MS, day_of, day_start_ms, slots_per_day
from coinfarm.candles.interval import canonical_interval
from coinfarm.errors import CoinfarmError, Conflict, NotFound
from coinfarm.live.live_rows import CANDLE_COLUMNS, KEY_COLUMNS, joined_rows, live_schema
from coinfarm.outputs import further_horizons_of
from coinfarm.storage import Storage

if TYPE_CHECKING:
    import pyarrow as pa

    from coinfarm.storage.protocol import Blob

_PREFIX = "live/"
_KEY = re.compile(_PREFIX + r"exchange=(?P<exchange>[a-z0-9_]+)/interval=(?P<interval>[^/]+)/date=(?P<day>\d{4}-\d\d-\d\d)\.parquet")
_MAX_FILE_BYTES = 256 << 20
_MAX_SYMBOLS = 1000
_MAX_ATTEMPTS = 8
_ORDER = [("open_time", "ascending"), ("symbol", "ascending")]
_CORRECTION_COLUMNS = (*CANDLE_COLUMNS, "corrected_at")


class LiveFeed(NamedTuple):
    """An exchange, and an interval in its canonical spelling."""

    exchange: str
    interval: str


class _StoredDay(NamedTuple):
    etag: str | None
    table: "pa.Table"


class LiveStore:
    """Rows of `live_rows.live_schema`, under `live/exchange=E/interval=I/date=D.parquet` of a storage.

    A candle and its prediction are one row, so that they are stored together or not at all. Several writers may append at the same time:
    a row for a candle that is stored already is dropped, and so is one that is older than the last candle of its symbol on that day.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._last: dict[str, _StoredDay] = {}
        """The newest file of each feed, so that appending to it does not read it again."""

    @property
    def storage(self) -> Storage:
        """Where the rows are, under `live/`."""
        return self._storage

    @property
    def root(self) -> str:
        """The URI of the store."""
        return self._storage.uri()

    def feeds(self) -> list[LiveFeed]:
        """The exchanges and intervals that have rows, sorted."""
        matches = map(_KEY.fullmatch, self._storage.list(_PREFIX))
        return sorted({LiveFeed(match["exchange"], match["interval"]) for match in matches if match})

    def days(self, feed: LiveFeed) -> list[date]:
        """The UTC days that have rows, oldest first. The candles of a day opened on it."""
        days = []
        for match in map(_KEY.fullmatch, self._storage.list(_folder(feed))):
            with suppress(ValueError):
                if match:
                    days.append(date.fromisoformat(match["day"]))
        return sorted(days)

    def append(self, feed: LiveFeed, rows: "pa.Table") -> "pa.Table":
        """Store the rows that are new, and return these, in order of time and symbol.

        Raises `Conflict` if other writers change the file again and again, and `CoinfarmError` if the file is damaged.
        """
        return joined_rows([self._append_day(feed, day, part) for day, part in _by_day(rows.sort_by(_ORDER))])

    def correct(self, feed: LiveFeed, candles: "pa.Table") -> "pa.Table":
        """Replace the candles of stored rows, which keep their predictions, and return the rows that changed.

        `candles` has the columns of `live_schema` up to the volume, and `corrected_at`. Candles without a stored row are ignored. Raises as
        `append`.
        """
        return joined_rows([self._correct_day(feed, day, part) for day, part in _by_day(candles)])

    def read(self, feed: LiveFeed, start_ms: int | None = None, stop_ms: int | None = None, symbols: Iterable[str] = ()) -> "pa.Table":
        """The rows whose candles open in `[start_ms, stop_ms)`, in order of time and symbol; of all symbols if none are given."""
        import pyarrow as pa
        import pyarrow.compute as pc

        names = pa.array(sorted(symbols), pa.string())
        tables = []
        for day in self.days(feed):
            if (start_ms is not None and day_start_ms(day) + DAY_MS <= start_ms) or (stop_ms is not None and day_start_ms(day) >= stop_ms):
                continue
            with suppress(NotFound):
                table = self._read_day(self._key(feed, day))
                if start_ms is not None:
                    table = table.filter(pc.field("open_time") >= start_ms)
                if stop_ms is not None:
                    table = table.filter(pc.field("open_time") < stop_ms)
                tables.append((table.filter(pc.field("symbol").isin(names)) if len(names) else table).sort_by(_ORDER))
        return joined_rows(tables)

    def _append_day(self, feed: LiveFeed, day: date, rows: "pa.Table") -> "pa.Table":
        key = self._key(feed, day)
        for _ in range(_MAX_ATTEMPTS):
            stored = self._stored(key)
            new = _newer(rows, stored.table)
            if not len(new) or self._written(key, stored, joined_rows([stored.table, new])):
                return new
        raise self._contended(key)

    def _correct_day(self, feed: LiveFeed, day: date, candles: "pa.Table") -> "pa.Table":
        key = self._key(feed, day)
        for _ in range(_MAX_ATTEMPTS):
            stored = self._stored(key)
            corrected, changed = _corrected(stored.table, candles)
            if not len(changed) or self._written(key, stored, corrected):
                return changed
        raise self._contended(key)

    def _stored(self, key: str) -> _StoredDay:
        """The file, without reading it again if it has not changed; empty if there is none."""
        last = self._last.get(key)
        try:
            blob = self._storage.read_if_changed(key, last.etag if last else None, _MAX_FILE_BYTES)
        except NotFound:
            return _StoredDay(None, live_schema().empty_table())
        if blob is None:
            assert last is not None
            return last
        return self._remembered(key, blob)

    def _read_day(self, key: str) -> "pa.Table":
        return self._parsed(key, self._storage.read(key, _MAX_FILE_BYTES).data)

    def _remembered(self, key: str, blob: "Blob") -> _StoredDay:
        stored = _StoredDay(blob.etag, self._parsed(key, blob.data))
        self._remember(key, stored)
        return stored

    def _remember(self, key: str, stored: _StoredDay) -> None:
        folder = key.rpartition("/")[0]
        for other in [each for each in self._last if each != key and each.startswith(folder)]:
            del self._last[other]
        self._last[key] = stored

    def _written(self, key: str, old: _StoredDay, table: "pa.Table") -> bool:
        """Whether the file was replaced; False if another writer was faster."""
        try:
            etag = self._storage.write(key, _encoded(table), if_match=old.etag, create_only=old.etag is None)
        except (Conflict, NotFound):
            return False
        self._remember(key, _StoredDay(etag, table))
        return True

    def _parsed(self, key: str, data: bytes) -> "pa.Table":
        import pyarrow as pa
        import pyarrow.parquet as pq

        where = self._storage.uri(key)
        try:
            file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
            if file.metadata.num_rows > _MAX_SYMBOLS * slots_per_day("1m"):
                raise CoinfarmError(f"{where} has {file.metadata.num_rows:,} rows, far more than a day of candles has: it is damaged")
            expected = live_schema(further_horizons_of(tuple(file.schema_arrow.names)))
            if not file.schema_arrow.equals(expected):
                raise CoinfarmError(f"{where} does not have the columns of a live store: move it elsewhere")
            return file.read(use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise CoinfarmError(f"{where} is damaged: restore it from a copy, or remove it to start that day again") from error

    def _key(self, feed: LiveFeed, day: date) -> str:
        return f"{_folder(feed)}date={day.isoformat()}.parquet"

    def _contended(self, key: str) -> Conflict:
        return Conflict(f"{self._storage.uri(key)} is being changed by other writers: let one `coinfarm watch` write to a store")


def _folder(feed: LiveFeed) -> str:
    return f"{_PREFIX}exchange={feed.exchange}/interval={canonical_interval(feed.interval)}/"


def _by_day(rows: "pa.Table") -> "Iterator[tuple[date, pa.Table]]":
    import pyarrow as pa

    days = [day_of(time) for time in rows["open_time"].to_pylist()]
    for day in sorted(set(days)):
        yield day, rows.filter(pa.array([each == day for each in days]))


def _newer(rows: "pa.Table", stored: "pa.Table") -> "pa.Table":
    """The rows after the last stored one of their symbol, without duplicates."""
    import pyarrow as pa

    newest = stored.group_by("symbol").aggregate([("open_time", "max")])
    latest = dict(zip(newest["symbol"].to_pylist(), newest["open_time_max"].to_pylist(), strict=True))
    keep = []
    for symbol, open_time in zip(rows["symbol"].to_pylist(), rows["open_time"].to_pylist(), strict=True):
        keep.append(open_time > latest.get(symbol, -1))
        latest[symbol] = max(open_time, latest.get(symbol, -1))
    return rows.filter(pa.array(keep, pa.bool_()))


def _corrected(stored: "pa.Table", candles: "pa.Table") -> "tuple[pa.Table, pa.Table]":
    """The stored rows with corrected candles, and those of them that changed."""
    import pyarrow as pa

    by_key = {tuple(row[name] for name in KEY_COLUMNS): row for row in candles.to_pylist()}
    columns = {name: stored[name].to_pylist() for name in (*KEY_COLUMNS, *_CORRECTION_COLUMNS)}
    changed = []
    for at, key in enumerate(zip(*(columns[name] for name in KEY_COLUMNS), strict=True)):
        row = by_key.get(key)
        changed.append(row is not None and any(row[name] != columns[name][at] for name in CANDLE_COLUMNS))
        if row is not None and changed[-1]:
            for name in _CORRECTION_COLUMNS:
                columns[name][at] = row[name]
    table = stored
    for name in _CORRECTION_COLUMNS:
        field = stored.schema.field(name)
        table = table.set_column(table.schema.get_field_index(name), field, pa.array(columns[name], field.type))
    return table, table.filter(pa.array(changed, pa.bool_()))


def _encoded(table: "pa.Table") -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    return bytes(sink.getvalue())
