"""The result of a shard: a Parquet file that names its shard and accounts for every requested window."""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_windows import ShardWindows
from coinfarm.errors import NotFound
from coinfarm.outputs import further_horizons_of, output_names
from coinfarm.prediction.model_scope import ModelScope
from coinfarm.prediction.predictions import Predictions
from coinfarm.serving.response import model_identity, prediction_columns
from coinfarm.storage import Storage

if TYPE_CHECKING:
    import pyarrow as pa

    from coinfarm.prediction.model_manager import LoadedModel

CONTENT_TYPE = "application/vnd.apache.parquet"
_SHARD, _MODEL, _COUNTS, _CANDLES = b"shard", b"model", b"account", b"candles"
_MAX_BYTES = 16 << 20


@dataclass(frozen=True)
class ShardCounts:
    """The number of windows by outcome; `requested` is their sum.

    A mostly filled window has no prediction, because more than half of its candles were missing and filled.
    """

    requested: int
    predicted: int
    mostly_filled: int
    too_few_before: int
    no_candles: int

    @property
    def is_consistent(self) -> bool:
        return self.requested == self.predicted + self.mostly_filled + self.too_few_before + self.no_candles


@dataclass(frozen=True)
class ShardResult:
    """A complete result: `table` has the columns of `coinfarm.serving.response`, and a row for each window that has 200 candles.

    `candles_digest` is the digest of the candles that it was computed from; None if the file has none. `scope` is the model's.
    """

    table: "pa.Table"
    counts: ShardCounts
    candles_digest: str | None
    scope: ModelScope


def empty_table(further_horizons: tuple[int, ...] = ()) -> "pa.Table":
    """The columns of a result, without rows."""
    import pyarrow as pa

    return pa.table(prediction_columns(_no_predictions(further_horizons)))


def encode_result(shard: Shard, model: "LoadedModel", predictions: Predictions | None, windows: ShardWindows) -> bytes:
    """The Parquet file; the same input gives the same bytes. `predictions` is None if there was nothing to predict."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if predictions is None:
        predictions = _no_predictions(model.bundle.manifest.horizons[1:])
    table = pa.table(prediction_columns(predictions))
    mostly_filled = int(np.isnan(predictions.values_pct[:, 0]).sum())
    counts = ShardCounts(shard.window_count, len(predictions) - mostly_filled, mostly_filled, windows.too_few_before, windows.no_candles)
    metadata = {
        _SHARD: shard.key(model.version),
        _MODEL: json.dumps(model_identity(model)),
        _COUNTS: json.dumps(_stored_counts(counts)),
        _CANDLES: windows.digest,
        **ModelScope.of(model.bundle.manifest).metadata(),
    }
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(metadata), sink, compression="zstd", write_page_checksum=True)
    return bytes(sink.getvalue())


def read_result(shard: Shard, version: str, results: Storage) -> ShardResult | None:
    """The result at the shard's key; None if there is none, or it is damaged, incomplete or of another shard."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        data = results.read(shard.key(version), _MAX_BYTES).data
    except NotFound:
        return None
    try:
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        expected = empty_table(further_horizons_of(tuple(file.schema_arrow.names))).schema
        if file.metadata.num_rows > shard.window_count or not file.schema_arrow.equals(expected):
            return None  # checked before decompression, because a few bytes may contain any number of rows
        table = file.read(use_threads=False)
        metadata = table.schema.metadata or {}
        counts = _parse_counts(metadata[_COUNTS])
        scope = ModelScope.from_metadata(metadata)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError):
        return None
    is_complete = counts.is_consistent and counts.requested == shard.window_count and len(table) == counts.predicted + counts.mostly_filled
    if not is_complete or metadata.get(_SHARD) != shard.key(version).encode():
        return None
    return ShardResult(table, counts, metadata[_CANDLES].decode() if _CANDLES in metadata else None, scope)


def _no_predictions(further_horizons: tuple[int, ...]) -> Predictions:
    none = np.zeros(0, np.int64)
    return Predictions(none, none, none, None, np.zeros((0, len(output_names(further_horizons)))), further_horizons)


def _stored_counts(counts: ShardCounts) -> dict[str, int]:
    """The counts as stored in the file, where `requested` is called `asked`."""
    fields = asdict(counts)
    return {"asked": fields.pop("requested"), **fields}


def _parse_counts(data: bytes) -> ShardCounts:
    stored = json.loads(data)
    return ShardCounts(stored["asked"], **{name: count for name, count in stored.items() if name != "asked"})
