"""Calls of AWS services that take several entries, of which some may fail: these are tried again."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

MAX_ENTRIES_PER_CALL = 10
"""The limit of SQS, SNS and EventBridge for one call."""

_ATTEMPTS = 5
_INITIAL_BACKOFF_S = 0.2


class FailedEntry(NamedTuple):
    """An entry that failed after all attempts."""

    value: str
    reason: str
    is_permanent: bool


def call_with_retries(values: Sequence[str], call: Callable[[list[tuple[str, str]]], Any]) -> list[FailedEntry]:
    """Call with `(entry id, value)` of each value, retry those that failed on the service's side, and return the final failures.

    The response of `call` lists failures as SQS does: `Failed`, each with `Id`, `Code`, `Message` and `SenderFault`.
    """
    pending = {str(number): value for number, value in enumerate(values)}
    rejected: list[FailedEntry] = []
    failed: dict[str, FailedEntry] = {}
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_INITIAL_BACKOFF_S * 2 ** (attempt - 1))
        failed = {
            entry["Id"]: FailedEntry(pending[entry["Id"]], f"{entry['Code']}: {entry.get('Message', '')}", entry["SenderFault"])
            for entry in call(list(pending.items())).get("Failed", [])
        }
        rejected += [failure for failure in failed.values() if failure.is_permanent]
        pending = {entry_id: failure.value for entry_id, failure in failed.items() if not failure.is_permanent}
        if not pending:
            return rejected
    return rejected + [failed[entry_id] for entry_id in pending]


def batches(values: Iterable[str], max_bytes: int) -> Iterator[list[str]]:
    """The values in order, in lists for one call each: of at most `MAX_ENTRIES_PER_CALL`, and of at most `max_bytes` together."""
    batch: list[str] = []
    batch_bytes = 0
    for value in values:
        size = len(value.encode())
        if batch and (len(batch) == MAX_ENTRIES_PER_CALL or batch_bytes + size > max_bytes):
            yield batch
            batch, batch_bytes = [], 0
        batch.append(value)
        batch_bytes += size
    if batch:
        yield batch
