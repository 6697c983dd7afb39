from dataclasses import replace
from pathlib import Path

import pytest

from coinfarm.demo.demo_report import page, summary
from coinfarm.demo.outcome import Look, Outcome, Share

TOTAL = {"asked": 2_880, "predicted": 2_600, "mostlyFilled": 81, "tooFewBefore": 199, "noCandles": 0, "missing": 0}
OUTCOME = Outcome(
    model_version="20260101-0a1b2c3d",
    status={"shards": 2, "done": 2, "deadLettered": 0, "waiting": 0, "usdQuoted": 0.0123},
    coverage={"total": TOTAL, "months": [{"symbol": "DEMOBTC", "month": "2026-01", **TOTAL}]},
    looks=(Look(1.0, 0, 0, 2, 0), Look(4.0, 0, 0, 0, 2), Look(6.0, 1, 1_440, 0, 1), Look(14.0, 2, 2_880, 0, 0)),
    shares=(Share("worker-1", 2, 1, 9.5), Share("worker-2", 0, 0, 0.0)),
    commands=("coinfarm worker --queue $QUEUE_URL &",),
    resources={"Queue": "AWS::SQS::Queue"},
    predictions=Path("build/demo/predictions.parquet"),
    predictions_rows=2_681,
)


def test_the_pace_is_that_of_the_work_without_its_start():
    assert OUTCOME.seconds == 14.0
    assert OUTCOME.work_s == 10.0
    assert OUTCOME.frames_per_s == 260.0


def test_a_summary_says_what_became_of_all():
    assert summary(OUTCOME).splitlines() == [
        "2,880 windows asked for: 2,600 predicted; 81 mostly filled; 199 too few before",
        "260 windows/s over 10.0 s of work; shards: worker-1 2, worker-2 0",
    ]


@pytest.mark.parametrize(
    ("changes", "rows"),
    [
        pytest.param({"missing": 100, "predicted": 2_500}, 2_581, id="missing"),
        pytest.param({"predicted": 2_599}, 2_680, id="unaccounted for"),
        pytest.param({}, 2_682, id="doubled"),
        pytest.param({}, 2_680, id="lost on the way into the file"),
    ],
)
def test_what_is_not_whole_is_said_to_be_so(changes, rows):
    total = TOTAL | changes
    outcome = replace(OUTCOME, coverage=OUTCOME.coverage | {"total": total}, predictions_rows=rows)
    assert not outcome.is_whole
    assert page(outcome).verdict.tone == "bad"


def test_the_page_tells_it_all():
    assert OUTCOME.is_whole
    html = page(OUTCOME).html()
    for text in ("2,600 windows predicted in 10.0 s", "worker-2", "DEMOBTC", "$QUEUE_URL", "AWS::SQS::Queue", "$0.0123", "<svg"):
        assert text in html
    assert page(OUTCOME).verdict.tone == "good"
