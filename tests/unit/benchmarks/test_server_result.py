"""The checks of the server's soak test."""

from dataclasses import replace

import pytest

from benchmarks.soak.load import LoadResponse
from benchmarks.soak.model_switches import ModelSwitch
from benchmarks.soak.process_metrics import ProcessMetrics
from benchmarks.soak.server_result import MIN_TREND_S, ServerOptions, ServerResult


def response(version, sent_s):
    return LoadResponse("one frame", sent_s, sent_s, sent_s + 1, version, None)


SWITCHES = [
    ModelSwitch("one", "promote", float("-inf"), float("-inf")),
    ModelSwitch("two", "promote", 100, 101),
    ModelSwitch("one", "rollback", 200, 201),
]
RESPONSES = [response("one", 50), response("two", 102), response("one", 202)]
METRICS = [ProcessMetrics(at_s, 200.0, 10, 12, at_s / 2) for at_s in range(600)]
RESULT = ServerResult(ServerOptions(600, 30, 2, 12_000, 1), "openvino-int8", RESPONSES, SWITCHES, METRICS)


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        pytest.param({}, None, id="no error"),
        pytest.param({"responses": [replace(each, error="500") for each in RESPONSES]}, 0, id="failed requests"),
        pytest.param({"responses": [*RESPONSES, response("two", 300)]}, 1, id="unexpected version"),
        pytest.param({"responses": RESPONSES[:2]}, 2, id="version never in service"),
        pytest.param({"metrics": [replace(each, rss_mb=200 + each.at_s) for each in METRICS]}, 3, id="memory leak"),
        pytest.param({"metrics": [replace(each, threads=int(each.at_s)) for each in METRICS]}, 4, id="more threads"),
        pytest.param({"metrics": [replace(each, open_files=int(each.at_s)) for each in METRICS]}, 5, id="more open files"),
    ],
)
def test_checks(changes, failed):
    result = replace(RESULT, **changes)
    assert [number for number, check in enumerate(result.checks()) if not check.passed] == ([] if failed is None else [failed])
    short = replace(result, options=replace(RESULT.options, duration_s=MIN_TREND_S - 1))
    assert len(short.checks()) == len(RESULT.checks()) - 3, "a short test has no checks of growth"
