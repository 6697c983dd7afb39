import json

import numpy as np
import pytest

from coinfarm.live.live_store import LiveFeed
from coinfarm.models.evaluations import store_evaluation
from coinfarm.storage import open_storage
from handler import app, live_score_metrics, telemetry
from tests.support.live_predictions import FEED, candles_of, evaluation_with_reference, write_rows

HOUR_MS = live_score_metrics.HOUR_MS


@pytest.fixture
def recorded(capsys):
    """The metrics that were recorded since the last call, by name."""

    def recorded():
        telemetry.print_metrics()
        blobs = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        found = [(each["Name"], blob) for blob in blobs if "_aws" in blob for each in blob["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
        return {name: blob[name][0] for name, blob in found}

    recorded()
    return recorded


@pytest.fixture
def version():
    return app.service().model().version


def evaluate(models, version, skill):
    """Record an evaluation whose days have a skill around this one."""
    scores = (skill + np.random.default_rng(0).normal(scale=0.05, size=40)).tolist()
    document = evaluation_with_reference(scores, version, direction={"overall": {"frames": 9, "rightPct": 52.0}}).model_dump(
        mode="json", by_alias=True
    )
    store_evaluation(models, version, document)


@pytest.mark.parametrize(("skill", "is_worse"), [(0.9, 1), (-0.9, 0)], ids=["worse than evaluated", "not worse"])
def test_scores_of_the_newest_version(tmp_path, models, version, recorded, skill, is_worse):
    evaluate(models, version, skill)
    store = write_rows(open_storage(str(tmp_path / "live")), [candles_of(days=28)], 0.3, version=version)
    live_score_metrics.record_scores(store, FEED, app.service())
    found = recorded()
    assert found["WorseThanEvaluated"] == is_worse
    assert found["ScoredPredictions"] == 28 * 96 - 199 - 30
    assert found["EvaluatedSkill"] == pytest.approx(skill, abs=0.05)
    assert {"LiveSkill", "LiveDirectionPct", "LiveR2MaxRise", "LiveR2MaxDecline", "LiveR2EndChange"} <= found.keys()
    assert {"EvaluatedDirectionPct", "EvaluatedR2EndChange"} <= found.keys()


def test_records_nothing_as_long_as_there_is_nothing_to_score(tmp_path, version, recorded):
    store = write_rows(open_storage(str(tmp_path / "live")), [candles_of(days=3)], 0.3, version=version)
    live_score_metrics.record_scores(store, LiveFeed("binanceus", "1m"), app.service())
    assert "WorseThanEvaluated" not in recorded()


def test_an_error_does_not_fail_the_predictions(tmp_path, version, recorded):
    store = write_rows(open_storage(str(tmp_path / "live")), [candles_of(days=3)], 0.3, version=version)
    (path,) = sorted((tmp_path / "live").rglob("*.parquet"))[:1]
    path.write_bytes(b"damaged")
    live_score_metrics.record_scores(store, FEED, app.service())
    assert recorded() == {"FailedScorecards": 1.0}


def test_scores_are_due_once_an_hour():
    minutes = [at * 60_000 for at in range(180)]
    assert [at for at in minutes if live_score_metrics.are_due(at)] == [0, HOUR_MS, 2 * HOUR_MS]
