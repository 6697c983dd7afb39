from dataclasses import replace
from pathlib import Path

import pytest

from coinfarm.demo.demo_report import page, summary
from coinfarm.demo.demo_result import DemoResult, StatusSample, WorkerStatistics

TOTAL = {"asked": 2_880, "predicted": 2_600, "mostlyFilled": 81, "tooFewBefore": 199, "noCandles": 0, "missing": 0}
RESULT = DemoResult(
    model_version="20260101-0a1b2c3d",
    status={"shards": 2, "done": 2, "deadLettered": 0, "waiting": 0, "usdQuoted": 0.0123},
    coverage={"total": TOTAL, "months": [{"symbol": "DEMOBTC", "month": "2026-01", **TOTAL}]},
    samples=tuple(StatusSample(*each) for each in [(1.0, 0, 0, 2, 0), (4.0, 0, 0, 0, 2), (6.0, 1, 1_440, 0, 1), (14.0, 2, 2_880, 0, 0)]),
    workers=(WorkerStatistics("worker-1", 2, 1, 9.5), WorkerStatistics("worker-2", 0, 0, 0.0)),
    commands=("coinfarm worker --queue $QUEUE_URL &",),
    resources={"Queue": "AWS::SQS::Queue"},
    predictions=Path("build/demo/predictions.parquet"),
    predictions_rows=2_681,
)


def test_speed_does_not_count_the_start_of_the_workers():
    assert (RESULT.seconds, RESULT.work_s, RESULT.windows_per_s) == (14.0, 10.0, 260.0)


@pytest.mark.parametrize(
    ("changes", "rows"),
    [({"missing": 100, "predicted": 2_500}, 2_581), ({"predicted": 2_599}, 2_680), ({}, 2_682), ({}, 2_680)],
    ids=["missing", "unaccounted for", "duplicated in the file", "lost from the file"],
)
def test_incomplete_result_is_reported(changes, rows):
    result = replace(RESULT, coverage=RESULT.coverage | {"total": TOTAL | changes}, predictions_rows=rows)
    assert not result.is_complete
    assert page(result).summary.tone == "bad"


def test_page_of_a_complete_result():
    assert RESULT.is_complete
    assert "2,600" in summary(RESULT)
    html = page(RESULT).html()
    for text in ("2,600", "worker-2", "DEMOBTC", "$QUEUE_URL", "AWS::SQS::Queue", "<svg"):
        assert text in html
    assert page(RESULT).summary.tone == "good"
