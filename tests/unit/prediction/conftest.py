"""A predictor with a pixel engine, and a model manager with a fake engine, a fake clock and a model root in a folder."""

from types import SimpleNamespace

import pytest

from coinfarm.prediction.model_manager import ModelManager
from coinfarm.prediction.predictor import Predictor
from coinfarm.storage import open_storage
from tests.support.fake_models import FakeEngine, promote_model, publish_model
from tests.support.pixel_engine import PixelEngine, loaded


@pytest.fixture
def clock():
    """`clock.now` is the time of the model manager in seconds."""
    return SimpleNamespace(now=1_000_000.0)


@pytest.fixture
def storage(tmp_path):
    return open_storage(str(tmp_path / "root"))


@pytest.fixture
def rejections():
    return []


@pytest.fixture
def make_manager(storage, tmp_path, clock, rejections):
    def make(load_engine=FakeEngine, uri=None):
        options = {
            "cache_dir": tmp_path / "cache",
            "refresh_s": 60,
            "on_rejection": lambda rejection: rejections.append(rejection.reason),
            "clock": lambda: clock.now,
        }
        return ModelManager(uri or storage.uri(), load_engine, **options)

    return make


@pytest.fixture
def manager(make_manager):
    return make_manager()


@pytest.fixture
def publish(storage, tmp_path):
    return lambda content: publish_model(storage, tmp_path / f"bundle-{content}", content)


@pytest.fixture
def promote_new(storage, tmp_path):
    return lambda content: promote_model(storage, tmp_path / f"bundle-{content}", content)


@pytest.fixture
def engine():
    return PixelEngine()


@pytest.fixture
def predictor(tmp_path, engine):
    return Predictor(loaded(tmp_path / "model", engine), max_batch=10)
