"""Process one shard, for Lambda, the worker and local runs."""

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_result import CONTENT_TYPE, encode_result, read_result
from coinfarm.backfill.shard_windows import ShardWindows, read_shard_windows
from coinfarm.candle_store.snapshot import CandleStoreSnapshot
from coinfarm.errors import CandleError, NotFound, StorageError
from coinfarm.prediction.predictions import Predictions
from coinfarm.prediction.series import Series
from coinfarm.storage import Storage

if TYPE_CHECKING:
    from coinfarm.prediction.model_manager import LoadedModel

logger = logging.getLogger(__name__)


@dataclass
class ShardJob:
    """A `coinfarm.backfill.job_runner.Job` that turns stored candles into a result under the shard's key.

    It is idempotent, even when run concurrently: results are written atomically, with the same bytes each time. A complete result is
    kept. A damaged result, or one computed from candles that have changed since (an incomplete day may have been extended), is replaced.
    """

    shard: Shard
    version: str
    store: CandleStoreSnapshot
    results: Storage
    _windows: ShardWindows | None = None

    def is_done(self) -> bool:
        result = read_result(self.shard, self.version, self.results)
        if result is None:
            return False
        try:
            return result.candles_digest in (None, self._shard_windows().digest)
        except (NotFound, CandleError):
            return True  # the candles were deleted, so the result cannot be recomputed

    def series(self) -> Series | None:
        try:
            return self._shard_windows().series
        except Exception as error:
            self._write_failure_note(error)
            raise

    def write(self, model: "LoadedModel", predictions: Predictions | None) -> None:
        data = encode_result(self.shard, model, predictions, self._shard_windows())
        self.results.write(self.shard.key(self.version), data, content_type=CONTENT_TYPE)

    def _shard_windows(self) -> ShardWindows:
        if self._windows is None:
            self._windows = read_shard_windows(self.shard, self.store)
        return self._windows

    def _write_failure_note(self, error: Exception) -> None:
        """Store why it failed, for `coinfarm backfill status`. The next failure replaces the note; a result supersedes it."""
        note = {"reason": str(error) or repr(error), "at": datetime.now(UTC).isoformat(timespec="seconds")}
        try:
            self.results.write(self.shard.failure_key(self.version), json.dumps(note).encode(), content_type="application/json")
        except StorageError as storage_error:
            logger.warning("The failure note of %s could not be written: %s", self.shard, storage_error)
