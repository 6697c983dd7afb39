"""One shard's work, for whatever distributes it: Lambda, the worker, processes of this machine."""

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_result import CONTENT_TYPE, read_result, result_file
from coinfarm.backfill.shard_windows import ShardWindows, windows_of
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
    """A `coinfarm.backfill.job_runner.Job`: the candles of the history to a result, under the key that says all.

    So it may be done twice, or by two at once: a result appears whole, and writing it again changes nothing. One that is there and
    whole is left as it is; one that is damaged is made anew, and so is one that was made of other candles than there are now: a day that
    was stored in part may have grown.
    """

    shard: Shard
    version: str
    history: CandleStoreSnapshot
    results: Storage
    _windows: ShardWindows | None = None

    def is_done(self) -> bool:
        result = read_result(self.shard, self.version, self.results)
        if result is None:
            return False
        try:
            return result.candles in (None, self._windows_now().digest)
        except (NotFound, CandleError):
            return True  # of candles that are gone, it is all there is

    def series(self) -> Series | None:
        try:
            return self._windows_now().series
        except Exception as error:
            self._note(error)
            raise

    def write(self, model: "LoadedModel", predictions: Predictions | None) -> None:
        data = result_file(self.shard, model, predictions, self._windows_now())
        self.results.write(self.shard.key(self.version), data, content_type=CONTENT_TYPE)

    def _windows_now(self) -> ShardWindows:
        if self._windows is None:
            self._windows = windows_of(self.shard, self.history)
        return self._windows

    def _note(self, error: Exception) -> None:
        """Why it failed, where `coinfarm backfill status` looks; the next attempt's note replaces it, and a result makes it void."""
        note = {"reason": str(error) or repr(error), "at": datetime.now(UTC).isoformat(timespec="seconds")}
        try:
            self.results.write(self.shard.failure_key(self.version), json.dumps(note).encode(), content_type="application/json")
        except StorageError as unwritten:
            logger.warning("No note is left of why %s failed: %s", self.shard, unwritten)
