"""Models in S3, over HTTP to moto's server."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from coinfarm.errors import Conflict
from coinfarm.models.pointer import POINTER_KEY, rollback
from coinfarm.models.promotion import promote
from coinfarm.models.store import ModelStore
from coinfarm.prediction.model_manager import ModelManager
from coinfarm.storage import Storage
from coinfarm.storage.s3 import S3Storage
from tests.support.fake_models import FakeEngine, promote_model, publish_model

FRAMES = np.zeros((2, 200, 150, 3), np.uint8)


@pytest.fixture
def rejections() -> list[str]:
    return []


@pytest.fixture
def manager(storage: Storage, tmp_path: Path, rejections: list[str]) -> ModelManager:
    """A manager that reads the pointer at every call."""
    return ModelManager(storage.uri(), FakeEngine, cache_dir=tmp_path / "cache", refresh_s=0, on_rejection=rejections.append)


def _value(manager: ModelManager) -> float:
    return float(manager.current_model().engine.predict(FRAMES)[0, 0])


def test_publishes_promotes_and_rolls_back(storage: Storage, manager: ModelManager, tmp_path: Path) -> None:
    first = promote_model(storage, tmp_path / "1", "1")
    assert _value(manager) == 1
    second = promote_model(storage, tmp_path / "2", "2")
    assert _value(manager) == 2
    assert ModelStore(storage).versions() == sorted([first, second])
    rollback(storage)
    assert _value(manager) == 1
    assert len(list(storage.list("history/"))) == 2


def test_the_loser_of_two_simultaneous_promotions_is_a_conflict(storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = (publish_model(storage, tmp_path / content, content) for content in "12")
    write = S3Storage.write

    def raced(self: S3Storage, key: str, data: bytes, **conditions: object) -> str:
        """Another process promotes between the read and the write of the pointer."""
        if key == POINTER_KEY:
            monkeypatch.setattr(S3Storage, "write", write)
            promote(storage, theirs)
        return write(self, key, data, **conditions)  # type: ignore[arg-type]

    for _ in ("the first pointer", "a later one"):
        monkeypatch.setattr(S3Storage, "write", raced)
        with pytest.raises(Conflict, match=POINTER_KEY):
            promote(storage, mine)
        assert json.loads(storage.read(POINTER_KEY).data)["version"] == theirs


def test_the_old_version_serves_during_an_outage(
    storage: Storage,
    manager: ModelManager,
    point_s3_at: Callable[[str], None],
    tmp_path: Path,
    rejections: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    promote_model(storage, tmp_path / "1", "1")
    assert _value(manager) == 1
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    moto_url = os.environ["AWS_ENDPOINT_URL_S3"]
    point_s3_at("http://127.0.0.1:9")
    assert _value(manager) == 1
    assert len(rejections) == 1
    point_s3_at(moto_url)
    promote_model(storage, tmp_path / "2", "2")
    assert _value(manager) == 2


def test_a_keras_file_in_s3_serves(storage: Storage, tmp_path: Path) -> None:
    storage.write("mine.keras", b"1")
    manager = ModelManager(storage.uri("mine.keras"), FakeEngine, cache_dir=tmp_path / "cache", refresh_s=0)
    assert _value(manager) == 1
    assert manager.current_model().bundle.manifest.name == "mine"
    storage.write("mine.keras", b"2")
    assert _value(manager) == 2
