"""The model manager with invalid versions and failing storage."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from coinfarm.engines.engine import Engine
from coinfarm.errors import ModelError, StorageError, Unavailable
from coinfarm.models.bundle import Bundle
from coinfarm.models.pointer import POINTER_KEY
from coinfarm.models.promotion import promote
from coinfarm.models.version import bundle_key
from coinfarm.prediction.model_manager import ModelManager
from coinfarm.storage import Blob, Storage
from coinfarm.storage.folder import FolderStorage
from tests.support.fake_models import FakeEngine, value_of
from tests.unit.prediction.conftest import Clock


def _missing(storage: Storage, publish: Callable[[str], str]) -> str:
    storage.write(POINTER_KEY, json.dumps({"version": "20260101-00000000"}).encode())
    return "20260101-00000000"


def _tampered(storage: Storage, publish: Callable[[str], str]) -> str:
    version = publish("2")
    promote(storage, version)
    storage.write(bundle_key(version, "model.keras"), b"3")
    return "model.keras"


def _other_geometry(storage: Storage, publish: Callable[[str], str]) -> str:
    version = publish("2")
    promote(storage, version)
    document = json.loads(storage.read(bundle_key(version)).data)
    document["frame"]["digest"] = "0" * 64
    storage.write(bundle_key(version), json.dumps(document).encode())
    return "00000000"


def _damaged_pointer(storage: Storage, publish: Callable[[str], str]) -> str:
    storage.write(POINTER_KEY, b'{"version"')
    return "current.json"


def _large_pointer(storage: Storage, publish: Callable[[str], str]) -> str:
    storage.write(POINTER_KEY, b" " * 64_001)
    return "current.json"


def _engine_raises(storage: Storage, publish: Callable[[str], str]) -> str:
    promote(storage, publish("not a number"))
    return "ValueError"


def _not_finite(storage: Storage, publish: Callable[[str], str]) -> str:
    promote(storage, publish("nan"))
    return "nan"


INVALID = [_missing, _tampered, _other_geometry, _damaged_pointer, _large_pointer, _engine_raises, _not_finite]


@pytest.mark.parametrize("make_invalid", INVALID, ids=lambda make_invalid: make_invalid.__name__.strip("_").replace("_", " "))
def test_rejects_an_invalid_version_and_keeps_the_old_one(
    make_invalid: Callable[[Storage, Callable[[str], str]], str],
    manager: ModelManager,
    storage: Storage,
    publish: Callable[[str], str],
    promote_new: Callable[[str], str],
    clock: Clock,
    rejections: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    promote_new("1")
    model = manager.current_model()
    reason = make_invalid(storage, publish)
    clock.now += 60
    assert manager.current_model() is model
    assert len(rejections) == 1
    assert [record.levelno for record in caplog.records if record.levelno > logging.INFO] == [logging.ERROR]
    assert reason in rejections[0]
    clock.now += 60
    promote_new("4")
    assert value_of(manager) == 4
    assert len(rejections) == 1


def test_does_not_load_a_rejected_version_again(
    make_manager: Callable[..., ModelManager], promote_new: Callable[[str], str], storage: Storage, clock: Clock, rejections: list[str]
) -> None:
    attempts: list[str] = []

    def load_engine(bundle: Bundle) -> Engine:
        attempts.append(bundle.manifest.version)
        return FakeEngine(bundle)

    manager = make_manager(load_engine)
    good, bad = promote_new("1"), promote_new("not a number")
    promote(storage, good)
    manager.current_model()
    promote(storage, bad)
    for _ in range(3):
        clock.now += 60
        manager.current_model()
        with pytest.raises(ModelError):
            manager.version(bad)
    assert attempts == [good, bad]
    assert len(rejections) == 3
    promote(storage, bad)
    clock.now += 60
    manager.current_model()
    assert attempts == [good, bad, bad]


class Failing(FolderStorage):
    """Raises `Unavailable` in the methods named in `failing`."""

    failing: tuple[str, ...] = ()

    def read_if_changed(self, key: str, etag: str | None, max_bytes: int | None = None) -> Blob | None:
        self._may("read_if_changed")
        return super().read_if_changed(key, etag, max_bytes)

    def download(self, key: str, path: Path, max_bytes: int) -> None:
        self._may("download")
        super().download(key, path, max_bytes)

    def _may(self, method: str) -> None:
        if method in self.failing:
            raise Unavailable(f"{method} failed")


@pytest.mark.parametrize("method", ["read_if_changed", "download"])
def test_retries_after_network_errors(
    method: str,
    make_manager: Callable[..., ModelManager],
    promote_new: Callable[[str], str],
    tmp_path: Path,
    clock: Clock,
    rejections: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("coinfarm.models.store.open_storage", lambda root: Failing(Path(root)))
    manager = make_manager(uri=str(tmp_path / "root"))
    promote_new("1")
    manager.current_model()
    promote_new("2")
    monkeypatch.setattr(Failing, "failing", (method,))
    for _ in range(2):
        clock.now += 60
        assert value_of(manager) == 1
    assert rejections == [f"{method} failed"] * 2
    monkeypatch.setattr(Failing, "failing", ())
    clock.now += 60
    assert value_of(manager) == 2


def test_raises_until_there_is_a_first_model(manager: ModelManager, promote_new: Callable[[str], str], rejections: list[str]) -> None:
    with pytest.raises(ModelError, match=r"current\.json"):
        manager.current_model()
    promote_new("not a number")
    for _ in range(2):
        with pytest.raises(ModelError):
            manager.current_model()
    promote_new("1")
    assert value_of(manager) == 1
    assert rejections == []


def test_rejects_an_engine_with_other_outputs(make_manager: Callable[..., ModelManager], promote_new: Callable[[str], str]) -> None:
    class TwoOutputs(FakeEngine):
        def predict(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
            return super().predict(frames)[:, :2]

    promote_new("1")
    with pytest.raises(ModelError, match=r"\(5, 3\)"):
        make_manager(TwoOutputs).current_model()


def test_an_unwritable_cache_is_no_rejection(
    make_manager: Callable[..., ModelManager], promote_new: Callable[[str], str], tmp_path: Path
) -> None:
    version = promote_new("1")
    (tmp_path / "cache").touch()
    manager = make_manager()
    with pytest.raises(StorageError, match="MODEL_CACHE_DIR"):
        manager.version(version)
    (tmp_path / "cache").unlink()
    assert manager.version(version).version == version
