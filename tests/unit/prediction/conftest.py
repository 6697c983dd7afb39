"""A predictor with a pixel engine, and a model manager with a fake engine, a fake clock and a model root in a folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from coinfarm.engines.engine import Engine
from coinfarm.models.bundle import Bundle
from coinfarm.prediction.model_manager import ModelManager
from coinfarm.prediction.predictor import Predictor
from coinfarm.storage import Storage, open_storage
from tests.support.fake_models import FakeEngine, promote_model, publish_model
from tests.support.pixel_engine import PixelEngine, loaded


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(str(tmp_path / "root"))


@pytest.fixture
def rejections() -> list[str]:
    return []


@pytest.fixture
def make_manager(storage: Storage, tmp_path: Path, clock: Clock, rejections: list[str]) -> Callable[..., ModelManager]:
    def make(load_engine: Callable[[Bundle], Engine] = FakeEngine, uri: str | None = None) -> ModelManager:
        return ModelManager(
            uri or storage.uri(), load_engine, cache_dir=tmp_path / "cache", refresh_s=60, on_rejection=rejections.append, clock=clock
        )

    return make


@pytest.fixture
def manager(make_manager: Callable[..., ModelManager]) -> ModelManager:
    return make_manager()


@pytest.fixture
def publish(storage: Storage, tmp_path: Path) -> Callable[[str], str]:
    return lambda content: publish_model(storage, tmp_path / f"bundle-{content}", content)


@pytest.fixture
def promote_new(storage: Storage, tmp_path: Path) -> Callable[[str], str]:
    return lambda content: promote_model(storage, tmp_path / f"bundle-{content}", content)


@pytest.fixture
def engine() -> PixelEngine:
    return PixelEngine()


@pytest.fixture
def predictor(tmp_path: Path, engine: PixelEngine) -> Predictor:
    return Predictor(loaded(tmp_path / "model", engine), max_batch=10)
