"""Which version may respond when."""

import pytest

from benchmarks.soak.load import LoadResponse
from benchmarks.soak.model_switches import ModelSwitch, switch_delays_s, unexpected_versions

SWITCHES = [
    ModelSwitch("one", "promote", float("-inf"), float("-inf")),
    ModelSwitch("two", "promote", 100, 101),
    ModelSwitch("one", "rollback", 200, 201),
]


def response(version, sent_s, ended_s):
    return LoadResponse("one frame", sent_s, sent_s, ended_s, version, None)


@pytest.mark.parametrize(
    ("found", "is_unexpected"),
    [
        pytest.param(response("one", 50, 51), False, id="in service"),
        pytest.param(response("two", 50, 51), True, id="not promoted yet"),
        pytest.param(response("one", 102, 103), False, id="previous version within the delay"),
        pytest.param(response("one", 107, 108), True, id="previous version after the delay"),
        pytest.param(response("two", 99, 100.5), False, id="during the promotion"),
        pytest.param(response("two", 203, 204), False, id="rolled back within the delay"),
        pytest.param(response("two", 250, 251), True, id="rolled back before"),
        pytest.param(response("one", 250, 251), False, id="in service again"),
        pytest.param(response(None, 250, 251), False, id="no version"),
    ],
)
def test_unexpected_versions(found, is_unexpected):
    assert unexpected_versions(SWITCHES, [found], max_delay_s=5) == [found] * is_unexpected


def test_switch_delays():
    responses = [response("one", 99, 100.5), response("two", 102, 103.5), response("two", 104, 105), response("two", 300, 301)]
    assert switch_delays_s(SWITCHES, responses) == [2.5, None]
