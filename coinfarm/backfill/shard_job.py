"""One shard's work, for whatever distributes it: Lambda, the worker, processes of this machine."""

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from coinfarm.backfill.history import History
from coinfarm.backfill.result import CONTENT_TYPE, read_result, result_file
from coinfarm.backfill.shard import Shard
from coinfarm.backfill.windows import ShardWindows, windows_of
from coinfarm.errors import StorageError
from coinfarm.predictor import Predictions, Series
from coinfarm.storage import Storage

if TYPE_CHECKING:
    from coinfarm.models.manager import LoadedModel

logger = logging.getLogger(__name__)


@dataclass
class ShardJob:
    """A `coinfarm.backfill.work.Job`: the candles of the history to a result, under the key that says all.

    So it may be done twice, or by two at once: a result appears whole, and writing it again changes nothing. One that is there and
    whole is left as it is; one that is damaged is made anew.
    """

    shard: Shard
    version: str
    history: History
    results: Storage
    _windows: ShardWindows | None = None

    def is_done(self) -> bool:
        return read_result(self.shard, self.version, self.results) is not None

    def series(self) -> Series | None:
        try:
            self._windows = windows_of(self.shard, self.history)
        except Exception as error:
            self._note(error)
            raise
        return self._windows.series

    def write(self, model: "LoadedModel", predictions: Predictions | None) -> None:
        windows = self._windows
        assert windows is not None
        data = result_file(self.shard, model, predictions, no_candles=windows.no_candles, too_few_before=windows.too_few_before)
        self.results.write(self.shard.key(self.version), data, content_type=CONTENT_TYPE)

    def _note(self, error: Exception) -> None:
        """Why it failed, where `coinfarm backfill status` looks; the next attempt's note replaces it, and a result makes it void."""
        note = {"reason": str(error) or repr(error), "at": datetime.now(UTC).isoformat(timespec="seconds")}
        try:
            self.results.write(self.shard.failure_key(self.version), json.dumps(note).encode(), content_type="application/json")
        except StorageError as unwritten:
            logger.warning("No note is left of why %s failed: %s", self.shard, unwritten)
