"""The variants that were ever tried on the same predictions. The list is stored next to them: the best of many variants may be luck."""

import hashlib
import json
from collections.abc import Mapping

from pydantic import TypeAdapter, ValidationError

from coinfarm.backtesting.strategy import Strategy, Thresholds
from coinfarm.errors import CoinfarmError, Conflict, NotFound
from coinfarm.storage import Storage, open_storage

FILE_NAME = "backtest-trials.json"
_MAX_TRIES = 5
_TRIALS: TypeAdapter[dict[str, float]] = TypeAdapter(dict[str, float])


def variant_key(strategy: Strategy, thresholds: Thresholds | None) -> str:
    """A digest of the strategy and the thresholds, without its name and the selection: the same for the same trades."""
    document = strategy.model_dump(mode="json", exclude={"name", "selection"})
    if thresholds is not None:
        document["entry"] |= thresholds._asdict()
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def add_trials(predictions_root: str, tried: Mapping[str, float]) -> dict[str, float]:
    """Store the daily Sharpe ratios of the variants by `variant_key`, and return those of all variants ever tried on these predictions.

    Raises `StorageError` if the list cannot be stored, `CoinfarmError` if the stored file is not such a list.
    """
    storage, key = _locate(predictions_root)
    for _ in range(_MAX_TRIES):
        try:
            blob = storage.read(key)
        except NotFound:
            known, etag = {}, None
        else:
            known, etag = _parse(blob.data, storage.uri(key)), blob.etag
        trials = known | dict(tried)
        if trials == known:
            return known
        data = json.dumps(trials, indent=1, sort_keys=True).encode() + b"\n"
        try:
            storage.write(key, data, content_type="application/json", if_match=etag, create_only=etag is None)
        except Conflict:
            continue
        return trials
    raise Conflict(f"{storage.uri(key)} is being written by other backtests: try again when they are done")


def _parse(data: bytes, uri: str) -> dict[str, float]:
    try:
        return _TRIALS.validate_json(data)
    except ValidationError:
        raise CoinfarmError(f"{uri} is not a valid list of variants: move it away, and a new one will be created") from None


def _locate(predictions_root: str) -> tuple[Storage, str]:
    if predictions_root.endswith(".parquet"):
        folder, _, name = predictions_root.rpartition("/")
        return open_storage(folder or "."), f"{name.removesuffix('.parquet')}.{FILE_NAME}"
    return open_storage(predictions_root), FILE_NAME
