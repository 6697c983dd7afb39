import pytest

from coinfarm.aws import batch_calls
from coinfarm.aws.batch_calls import FailedEntry, batches, call_with_retries


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    pauses = []
    monkeypatch.setattr(batch_calls.time, "sleep", pauses.append)
    return pauses


def failure(entry_id, sender_fault=False):
    return {"Id": entry_id, "Code": "C", "Message": "why", "SenderFault": sender_fault}


def test_only_failed_entries_are_tried_again(pauses):
    calls = []

    def call(entries):
        calls.append([value for _, value in entries])
        return {"Failed": [failure(entry_id) for entry_id, value in entries if value == "b" and len(calls) < 3]}

    assert call_with_retries(["a", "b", "c"], call) == []
    assert calls == [["a", "b", "c"], ["b"], ["b"]]
    assert pauses == [0.2, 0.4]


def test_permanent_failures_are_not_tried_again_and_others_end_at_some_time(pauses):
    def call(entries):
        return {"Failed": [failure(entry_id, sender_fault=value == "bad") for entry_id, value in entries if value != "good"]}

    assert call_with_retries(["good", "bad", "slow"], call) == [FailedEntry("bad", "C: why", True), FailedEntry("slow", "C: why", False)]
    assert len(pauses) == 4


def test_batches_have_at_most_ten_values_and_the_bytes_of_one_call():
    assert [len(batch) for batch in batches("x" * 23, 100)] == [10, 10, 3]
    assert list(batches(["é" * 3, "b", "c" * 7], 7)) == [["é" * 3, "b"], ["c" * 7]]
    assert list(batches([], 7)) == []
