"""The checks of the backfill's soak test."""

from dataclasses import fields, replace

import pytest

from benchmarks.soak.backfill_result import INVALID_MESSAGES, BackfillResult
from coinfarm.backfill.window_outcomes import WindowCounts

FIELDS = {field.name: [] if "list" in str(field.type) else 0 for field in fields(BackfillResult)}
COUNTS = {"shards": 40, "counts": WindowCounts(requested=5_760, predicted=5_760), "rows": 5_760, "max_rows_per_window": 1}
RESULT = BackfillResult(**FIELDS | COUNTS | {"exit_codes": [0, 0], "dead_letters": list(INVALID_MESSAGES)})


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        pytest.param({}, None, id="no error"),
        pytest.param({"valid_dead_letters": 2, "redrives": 1}, None, id="valid dead letters moved back"),
        pytest.param({"missing": 1}, 0, id="missing shard"),
        pytest.param({"max_rows_per_window": 2}, 0, id="duplicate window"),
        pytest.param({"rows": 5_616}, 0, id="missing rows"),
        pytest.param({"differing": ["predictions/x"]}, 1, id="different result"),
        pytest.param({"rewritten_differently": 1}, 2, id="two results of one shard"),
        pytest.param({"unexpected_keys": ["predictions/.x.tmp"]}, 3, id="partial file"),
        pytest.param({"lost": 1}, 4, id="lost shard"),
        pytest.param({"dead_letters": [*INVALID_MESSAGES, "{}"]}, 5, id="valid dead letter left"),
        pytest.param({"dead_letters": list(INVALID_MESSAGES[1:])}, 5, id="invalid message accepted"),
        pytest.param({"left_in_queue": 1}, 5, id="message left"),
        pytest.param({"exit_codes": [0, 1]}, 6, id="worker failed"),
        pytest.param({"unexpected_exits": ["worker-1"]}, 6, id="worker ended early"),
    ],
)
def test_checks(changes, failed):
    checks = replace(RESULT, **changes).checks()
    assert [number for number, check in enumerate(checks) if not check.passed] == ([] if failed is None else [failed])
