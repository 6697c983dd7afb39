"""The shards of a run that are done, and why others failed, according to the storage of results."""

import json
from collections.abc import Collection

from coinfarm.backfill.run_manifest import Run
from coinfarm.backfill.shard import FAILURES, PREDICTIONS, Shard, series_prefix
from coinfarm.documents import Document
from coinfarm.errors import NotFound

_MAX_NOTE_BYTES = 100_000


class ShardFailure(Document):
    """A shard without a result, and why its last attempt failed."""

    shard: str
    reason: str


def done_shards(run: Run) -> set[Shard]:
    """The shards that have a result. Only keys are listed; results are not read, so a damaged one counts too."""
    manifest, keys = run.manifest, _keys(run, PREDICTIONS)
    return {shard for shard in manifest.shards() if shard.key(manifest.model_version) in keys}


def failures(run: Run, done: Collection[Shard], max_reasons: int) -> tuple[int, list[ShardFailure]]:
    """The number of shards with a failure note and no result, and the first `max_reasons` of these failures."""
    manifest, keys = run.manifest, _keys(run, FAILURES)
    failed = [shard for shard in manifest.shards() if shard not in done and shard.failure_key(manifest.model_version) in keys]
    return len(failed), [ShardFailure(shard=str(shard), reason=_reason(run, shard)) for shard in failed[:max_reasons]]


def _keys(run: Run, folder: str) -> set[str]:
    manifest = run.manifest
    keys: set[str] = set()
    for symbol in manifest.symbols:
        prefix = series_prefix(manifest.model_version, symbol, manifest.interval, manifest.stride, folder)
        keys.update(run.results.list(prefix))
    return keys


def _reason(run: Run, shard: Shard) -> str:
    try:
        note = json.loads(run.results.read(shard.failure_key(run.manifest.model_version), _MAX_NOTE_BYTES).data)
        return str(note["reason"])
    except (NotFound, ValueError, TypeError, KeyError):
        return "unknown: the failure note cannot be read"
