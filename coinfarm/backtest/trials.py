"""How many variants were tried on these predictions, by whomever and whenever: kept beside them, because the best of many is luck."""

import hashlib
import json
from collections.abc import Mapping

from pydantic import TypeAdapter, ValidationError

from coinfarm.backtest.strategy import Strategy, Thresholds
from coinfarm.errors import CoinfarmError, Conflict, NotFound
from coinfarm.storage import Storage, open_storage

FILE_NAME = "backtest-trials.json"
_TRIES = 5
_TRIALS: TypeAdapter[dict[str, float]] = TypeAdapter(dict[str, float])


def variant_key(strategy: Strategy, thresholds: Thresholds | None) -> str:
    """The same for the same trades: the digest of the strategy, without its name and how it chooses, and of its thresholds."""
    document = strategy.model_dump(mode="json", exclude={"name", "selection"})
    if thresholds is not None:
        document["entry"] |= thresholds._asdict()
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def add_trials(predictions_root: str, tried: Mapping[str, float]) -> dict[str, float]:
    """Keep the variants, by `variant_key`, with their daily Sharpe ratios, and return all that were ever tried on these predictions.

    Raises `StorageError` where the place refuses, `CoinfarmError` where what lies there is no such file.
    """
    storage, key = _place(predictions_root)
    for _ in range(_TRIES):
        try:
            blob = storage.read(key)
        except NotFound:
            known, condition = {}, None
        else:
            known, condition = _parsed(blob.data, storage.uri(key)), blob.etag
        everything = known | dict(tried)
        if everything == known:
            return known
        data = json.dumps(everything, indent=1, sort_keys=True).encode() + b"\n"
        try:
            storage.write(key, data, content_type="application/json", if_match=condition, create_only=condition is None)
        except Conflict:
            continue
        return everything
    raise Conflict(f"{storage.uri(key)} is written by others all the time: try again when they are done")


def _parsed(data: bytes, where: str) -> dict[str, float]:
    try:
        return _TRIALS.validate_json(data)
    except ValidationError:
        raise CoinfarmError(f"{where} is no list of variants tried: move it away, and what was tried is counted anew") from None


def _place(root: str) -> tuple[Storage, str]:
    if root.endswith(".parquet"):
        folder, _, name = root.rpartition("/")
        return open_storage(folder or "."), f"{name.removesuffix('.parquet')}.{FILE_NAME}"
    return open_storage(root), FILE_NAME
