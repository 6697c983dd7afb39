"""The scorecard as metrics, which a scrape does not wait for."""

import threading

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from coinfarm.live.live_store import LiveStore
from coinfarm.scorecard.scorecard import scorecard
from coinfarm.storage.folder import FolderStorage
from handler import scorecard_collector
from handler.scorecard_collector import LiveScoreCollector
from tests.support.filled_live_store import LIVE_CANDLES, append_candles
from tests.support.scraped_metrics import ScrapedMetrics


@pytest.fixture
def collector(store, models):
    return LiveScoreCollector(store, models.uri())


def scrape(collector):
    registry = CollectorRegistry()
    registry.register(collector)
    generate_latest(registry)
    collector.wait()
    return ScrapedMetrics(generate_latest(registry).decode())


def test_has_the_scores_of_the_scorecard(collector, store, models, version):
    metrics = scrape(collector)
    (score,) = scorecard(store, models.uri()).scores
    series = {"exchange": "binanceus", "interval": "1m", "version": version, "horizon": "30"}
    outputs = score.together.live.outputs
    assert outputs["maxRisePct"].r2 is not None
    for symbol in ("all", "DEMOUSD"):
        for output, found in outputs.items():
            assert metrics.value("coinfarm_live_score", **series, symbol=symbol, output=output, score="r2") == pytest.approx(found.r2)
    direction = score.together.live.direction.right_pct
    assert metrics.value("coinfarm_live_score", **series, symbol="all", score="direction_accuracy_pct") == pytest.approx(direction)
    assert metrics.value("coinfarm_live_answer", **series) == metrics.value("coinfarm_live_answer", answer=score.skill.answer) == 1
    assert metrics.value("coinfarm_live_predictions", **series, state="scored") == score.counts.scored
    assert metrics.value("coinfarm_live_predictions", **series) == score.counts.predictions
    assert metrics.value("coinfarm_live_scored_timestamp_seconds") > 1.7e9


def test_an_empty_store_has_no_scores(tmp_path, models):
    metrics = scrape(LiveScoreCollector(LiveStore(FolderStorage(tmp_path / "live")), models.uri()))
    assert metrics.samples == []


def test_a_scrape_does_not_wait_and_scores_are_kept(collector, store, models, version, monkeypatch):
    may_compute, computed = threading.Event(), []

    def slow(*arguments):
        assert may_compute.wait(20)
        computed.append(1)
        return scorecard(*arguments)

    monkeypatch.setattr(scorecard_collector, "scorecard", slow)
    assert list(collector.collect()) == []
    assert list(collector.collect()) == [], "still being computed"
    may_compute.set()
    collector.wait()
    append_candles(store, LIVE_CANDLES, range(280, 300), version)
    first = list(collector.collect())
    assert first
    assert len(computed) == 1
    monkeypatch.setattr(scorecard_collector, "_KEPT_S", -1)
    list(collector.collect())
    collector.wait()
    assert len(computed) == 2
    predictions = next(family for family in collector.collect() if family.name == "coinfarm_live_predictions")
    assert sum(sample.value for sample in predictions.samples) == 101
    collector.wait()


def test_a_failure_keeps_the_last_scores(collector, monkeypatch):
    assert list(scrape(collector).samples)
    monkeypatch.setattr(scorecard_collector, "_KEPT_S", -1)
    monkeypatch.setattr(scorecard_collector, "scorecard", lambda *_: 1 / 0)
    list(collector.collect())
    collector.wait()
    assert list(collector.collect())
    collector.wait()
