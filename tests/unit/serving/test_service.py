"""The service with a model root and a fake engine."""

import pytest

from coinfarm.prediction.series import Series
from coinfarm.serving import service
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings
from coinfarm.storage import open_storage
from tests.support.fake_models import FakeEngine, promote_model, publish_model
from tests.support.synthetic_candles import minutes


@pytest.fixture
def loads(monkeypatch):
    """The batch limit with which each engine was loaded."""
    limits = []
    monkeypatch.setattr(service, "load_engine", lambda bundle, _, max_batch, threads: limits.append(max_batch) or FakeEngine(bundle))
    return limits


@pytest.fixture
def settings(tmp_path):
    return Settings(model_uri=str(tmp_path / "root"), model_cache_dir=tmp_path / "cache", model_refresh_s=0, max_batch=7)


def test_reports_each_loaded_version_once(settings, loads, tmp_path):
    reported = []
    serving = Service(settings, on_load=reported.append)
    storage = open_storage(settings.model_uri)

    def predicted(version=None):
        return float(serving.predictor(version).predict(Series(minutes(200))).values_pct[0, 0])

    for content in ("1.0", "2.0"):
        promote_model(storage, tmp_path / content, content)
        assert [predicted() for _ in range(3)] == [float(content)] * 3
    pinned = publish_model(storage, tmp_path / "pinned", "5.0")
    assert [predicted(pinned), predicted(), predicted(pinned)] == [5, 2, 5]
    assert len(reported) == 2, "one that is put into service"
    assert all(load_ms > 0 for load_ms in reported)
    assert loads == [7, 7, 7]


@pytest.mark.parametrize(("prediction_cache_frames", "cached"), [(100, 3), (0, 0)])
def test_caches_predictions_across_requests(settings, loads, tmp_path, prediction_cache_frames, cached):
    promote_model(open_storage(settings.model_uri), tmp_path / "model", "1.0")
    serving = Service(settings.model_copy(update={"prediction_cache_frames": prediction_cache_frames}))
    serving.predictor().predict(Series(minutes(202)))
    predictor = serving.predictor()
    predictor.predict(Series(minutes(202)))
    assert (predictor.timings.frames, predictor.timings.cached_frames) == (3, cached)
