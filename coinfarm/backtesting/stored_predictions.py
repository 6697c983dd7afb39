"""Reading stored predictions: by model, coin and day, or collected in one file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coinfarm.candle_store.series_folders import SeriesName
from coinfarm.candles.arrays import Times, Values
from coinfarm.errors import CoinfarmError
from coinfarm.outputs import OUTPUT_COLUMNS, further_horizons_of, output_columns
from coinfarm.prediction.model_scope import UNKNOWN_SCOPE, ModelScope
from coinfarm.reports.formatting import plural_text
from coinfarm.storage import Storage, open_storage
from coinfarm.storage.read_ahead import read_ahead

if TYPE_CHECKING:
    import pyarrow as pa

_READ_AHEAD = 8


@dataclass(frozen=True, eq=False)
class CoinPredictions:
    """The predictions of one coin, in order of time, every column `(n,)`.

    `values_pct` is `(n, 3 * horizons)`, in the order of `output_columns`, NaN if there is no prediction. `in_sample` is False for the
    `in_sample_unknown` rows where it is unknown. `model` is None if the location does not name it. `scope` is the model's, as far as the
    files say; its horizon is the first one.
    """

    symbol: str
    interval: str
    model: str | None
    close_time: Times
    in_sample: NDArray[np.bool_]
    in_sample_unknown: int
    filled_candles: NDArray[np.int64]
    values_pct: Values
    scope: ModelScope = UNKNOWN_SCOPE
    further_horizons: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.close_time)

    def at_horizon(self, horizon_candles: int) -> "CoinPredictions":
        """With the predictions of that horizon only, or of the first if there are none of it."""
        if not self.further_horizons:
            return self
        count, scope, first = len(OUTPUT_COLUMNS), self.scope, 0
        if horizon_candles in self.further_horizons:
            scope = replace(scope, horizon_candles=horizon_candles)
            first = count * (1 + self.further_horizons.index(horizon_candles))
        return replace(self, values_pct=self.values_pct[:, first : first + count], scope=scope, further_horizons=())


def read_predictions(root: str) -> list[CoinPredictions]:
    """All predictions under `root`, a folder or `s3://` URI, or in the Parquet file `root`; one entry per coin, sorted by symbol.

    Raises `CoinfarmError` if there are none, if they have several models, strides or intervals, and for an invalid file.
    """
    if root.endswith(".parquet"):
        folder, _, name = root.rpartition("/")
        table = _table(open_storage(folder or "."), name)
        tables, model, scope = _collected(table, root), None, ModelScope.from_metadata(table.schema.metadata)
    else:
        tables, model, scope = _partitioned(open_storage(root), root)
    coins = [_coin(*series, model, table, root, scope) for series, table in sorted(_by_canonical_name(tables).items())]
    if not coins:
        raise CoinfarmError(
            f"{root} has no predictions: give a Parquet file or folder that coinfarm backfill collect wrote, or the results of a run"
        )
    _require_one("interval", {coin.interval for coin in coins}, root)
    return coins


def _by_canonical_name(tables: dict[tuple[str, str], "pa.Table"]) -> dict[SeriesName, "pa.Table"]:
    """The tables of each series together: runs of earlier versions may have another spelling, such as `60m`."""
    import pyarrow as pa

    parts: dict[SeriesName, list[pa.Table]] = {}
    for series, table in tables.items():
        parts.setdefault(SeriesName.canonical(*series), []).append(table)
    return {series: pa.concat_tables(each) for series, each in parts.items()}


def _partitioned(storage: Storage, root: str) -> tuple[dict[tuple[str, str], "pa.Table"], str | None, ModelScope]:
    import pyarrow as pa

    keys = {
        key: values
        for key in storage.list()
        if key.endswith(".parquet") and {"symbol", "interval", "date"} <= (values := _key_values(key)).keys()
    }
    in_root = _key_values(root).get("model")
    model = _require_one("model", {values.get("model", in_root) for values in keys.values()}, root)
    _require_one("stride", {values.get("stride") for values in keys.values()}, root)
    parts: dict[tuple[str, str], list[pa.Table]] = {}
    for key, table in read_ahead(lambda key: _table(storage, key), keys, _READ_AHEAD):
        parts.setdefault((keys[key]["symbol"], keys[key]["interval"]), []).append(table)
    scope = ModelScope.common(ModelScope.from_metadata(table.schema.metadata) for tables in parts.values() for table in tables)
    return {series: pa.concat_tables(tables) for series, tables in parts.items()}, model, scope


def _key_values(key: str) -> dict[str, str]:
    """The names and values in a key such as `model=V/symbol=S/interval=I/date=D.parquet`."""
    parts = (part.partition("=") for part in key.removesuffix(".parquet").split("/"))
    return {name: value for name, equals, value in parts if equals}


def _require_one(attribute: str, found: "set[str | None] | set[str]", root: str) -> str | None:
    if len(found) > 1:
        named = ", ".join(sorted(value or "none" for value in found))
        raise CoinfarmError(
            f"{root} has predictions of more than one {attribute} ({named}): give the folder of one, such as {root}/model=…"
        )
    return next(iter(found), None)


def _collected(table: "pa.Table", root: str) -> dict[tuple[str, str], "pa.Table"]:
    import pyarrow.compute as pc

    for name in ("symbol", "interval"):
        if name not in table.column_names:
            raise CoinfarmError(f"{root} has no column {name}: collected predictions name the coin and interval of each row")
    series = table.group_by(["symbol", "interval"], use_threads=False).aggregate([]).to_pylist()
    return {
        (str(each["symbol"]), str(each["interval"])): table.filter(
            pc.and_(pc.equal(table["symbol"], each["symbol"]), pc.equal(table["interval"], each["interval"]))
        )
        for each in series
    }


def _table(storage: Storage, key: str) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = storage.read(key).data
    try:
        table = pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)
        names = _read_names(table)
        missing = [name for name in names if name not in table.column_names]
        if missing:
            raise CoinfarmError(
                f"{storage.uri(key)} has no column {missing[0]}: it is not a file of predictions; coinfarm backfill collect writes one"
            )
        wanted = table.select([name for name in (*names, "symbol", "interval") if name in table.column_names])
        scope = ModelScope.from_metadata(wanted.schema.metadata)
        typed = _typed(wanted).replace_schema_metadata(scope.metadata())
        for name in ("close_time", "filled_candles", "symbol", "interval"):
            if name in typed.column_names and (nulls := typed[name].null_count):
                raise CoinfarmError(f"{storage.uri(key)}: {plural_text(nulls, 'row')} without {name}: remove them, or fill it in")
        return typed
    except (pa.ArrowException, OSError, ValueError) as error:
        raise CoinfarmError(f"{storage.uri(key)} is not a Parquet file of predictions: {error}") from None


def predictions_from_table(symbol: str, interval: str, table: "pa.Table") -> CoinPredictions:
    """The predictions of one coin in a table with the columns of stored predictions. Raises `CoinfarmError` if one is missing."""
    import pyarrow as pa

    names = _read_names(table)
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise CoinfarmError(f"the predictions have no column {missing[0]}: give the table that coinfarm.predict returned")
    chosen = table.select(list(names))
    try:
        scope = ModelScope.from_metadata(table.schema.metadata)
        return _coin(symbol, interval, None, _typed(chosen), "the predictions", scope)
    except (pa.ArrowException, ValueError) as error:
        raise CoinfarmError(f"the predictions cannot be read: {error}") from None


def _typed(table: "pa.Table") -> "pa.Table":
    """The table with the types of `_schema`; times may also be timestamps."""
    import pyarrow as pa

    at = table.column_names.index("close_time")
    kind = table.schema.field(at).type
    if pa.types.is_timestamp(kind):
        table = table.set_column(at, "close_time", table.column(at).cast(pa.timestamp("ms", kind.tz)))
    return table.cast(_schema(table))


def _read_names(table: "pa.Table") -> tuple[str, ...]:
    """The columns that a table of predictions must have, given the horizons in its columns' names."""
    return "close_time", "in_sample", "filled_candles", *_value_columns(table)


def _value_columns(table: "pa.Table") -> tuple[str, ...]:
    return output_columns(further_horizons_of(tuple(table.column_names)))


def _schema(table: "pa.Table") -> "pa.Schema":
    """Common types, so that files of other writers can be concatenated."""
    import pyarrow as pa

    types: Mapping[str, pa.DataType] = {
        "close_time": pa.int64(),
        "in_sample": pa.bool_(),
        "filled_candles": pa.int64(),
        "symbol": pa.string(),
        "interval": pa.string(),
        **dict.fromkeys(_value_columns(table), pa.float64()),
    }
    return pa.schema([(name, types[name]) for name in table.column_names])


def _coin(symbol: str, interval: str, model: str | None, table: "pa.Table", root: str, scope: ModelScope) -> CoinPredictions:
    if not table.num_rows:
        raise CoinfarmError(f"{root}: there are no predictions of {symbol}")
    order = np.argsort(table["close_time"].to_numpy(), kind="stable")
    close_time = table["close_time"].to_numpy()[order]
    values = np.column_stack(list(_values(table)))[order]
    repeated = np.append(False, close_time[1:] == close_time[:-1])
    # Two runs over adjacent periods may both have the windows in between; equal predictions count once.
    differs = repeated & ~np.append(True, np.isclose(values[1:], values[:-1], rtol=0, atol=0, equal_nan=True).all(axis=1))
    if differs.any():
        raise CoinfarmError(
            f"{root}: {symbol} has two different predictions for the window that closes at {close_time[differs][0]} ms: remove one"
        )
    chosen = order[~repeated]
    in_sample = table["in_sample"].take(chosen)
    return CoinPredictions(
        symbol,
        interval,
        model,
        close_time[~repeated],
        in_sample.fill_null(False).to_numpy(zero_copy_only=False),
        in_sample.null_count,
        table["filled_candles"].to_numpy()[chosen],
        values[~repeated],
        scope,
        further_horizons_of(tuple(table.column_names)),
    )


def _values(table: "pa.Table") -> Iterator[Values]:
    for name in _value_columns(table):
        yield table[name].to_numpy(zero_copy_only=False)  # null, no prediction, becomes NaN
