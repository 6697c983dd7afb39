"""The result of a shard: a Parquet file that says of which shard it is, and accounts for every window asked for."""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_windows import ShardWindows
from coinfarm.errors import NotFound
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.prediction.predictions import Predictions
from coinfarm.serving.response import model_identity, prediction_columns
from coinfarm.storage import Storage

if TYPE_CHECKING:
    import pyarrow as pa

    from coinfarm.prediction.model_manager import LoadedModel

CONTENT_TYPE = "application/vnd.apache.parquet"
_SHARD, _MODEL, _ACCOUNT, _CANDLES = b"shard", b"model", b"account", b"candles"
_MAX_BYTES = 16 << 20


_NO_PREDICTIONS = Predictions(
    open_time=np.zeros(0, np.int64),
    close_time=np.zeros(0, np.int64),
    filled_candles=np.zeros(0, np.int64),
    in_sample=None,
    values_pct=np.zeros((0, len(OUTPUT_NAMES))),
)


@dataclass(frozen=True)
class Account:
    """What became of the windows asked for: each of them is in one of the four others.

    Of a predicted window there are numbers; of one that is mostly filled, more than half of its candles were made up.
    """

    asked: int
    predicted: int
    mostly_filled: int
    too_few_before: int
    no_candles: int

    @property
    def adds_up(self) -> bool:
        return self.asked == self.predicted + self.mostly_filled + self.too_few_before + self.no_candles


@dataclass(frozen=True)
class Result:
    """A result that was found whole: `table` has the columns of `coinfarm.serving.response`, a row for each window that has 200 candles.

    `candles` is the digest of what it was made of; None where it does not tell.
    """

    table: "pa.Table"
    account: Account
    candles: str | None


def empty_table() -> "pa.Table":
    """The columns of every result, without a row."""
    import pyarrow as pa

    return pa.table(prediction_columns(_NO_PREDICTIONS))


def result_file(shard: Shard, model: "LoadedModel", predictions: Predictions | None, windows: ShardWindows) -> bytes:
    """The same bytes for the same predictions, whoever made them and when; None where there was nothing to predict of the windows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if predictions is None:
        predictions = _NO_PREDICTIONS
    table = pa.table(prediction_columns(predictions))
    mostly_filled = int(np.isnan(predictions.values_pct[:, 0]).sum())
    account = Account(shard.asked, len(predictions) - mostly_filled, mostly_filled, windows.too_few_before, windows.no_candles)
    metadata = {
        _SHARD: shard.key(model.version),
        _MODEL: json.dumps(model_identity(model)),
        _ACCOUNT: json.dumps(asdict(account)),
        _CANDLES: windows.digest,
    }
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(metadata), sink, compression="zstd", write_page_checksum=True)
    return bytes(sink.getvalue())


def read_result(shard: Shard, version: str, results: Storage) -> Result | None:
    """What lies at the shard's key; None where nothing lies there, or nothing that is whole and of this shard."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        data = results.read(shard.key(version), _MAX_BYTES).data
    except NotFound:
        return None
    try:
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        if file.metadata.num_rows > shard.asked or not file.schema_arrow.equals(empty_table().schema):
            return None  # before anything is unpacked: a few bytes may stand for any number of rows
        table = file.read(use_threads=False)
        metadata = table.schema.metadata or {}
        account = Account(**json.loads(metadata[_ACCOUNT]))
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError):
        return None
    whole = account.adds_up and account.asked == shard.asked and len(table) == account.predicted + account.mostly_filled
    if not whole or metadata.get(_SHARD) != shard.key(version).encode():
        return None
    return Result(table, account, metadata[_CANDLES].decode() if _CANDLES in metadata else None)
