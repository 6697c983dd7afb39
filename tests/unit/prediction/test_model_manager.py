import gc
import json
import logging
import re
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from coinfarm.engines.engine import Engine
from coinfarm.errors import ModelError, NotFound, StorageError, Unavailable
from coinfarm.models.bundle import Bundle
from coinfarm.models.pointer import POINTER_KEY
from coinfarm.models.promotion import promote
from coinfarm.models.version import bundle_key
from coinfarm.prediction.model_manager import ModelManager
from coinfarm.storage import Blob, Storage, open_storage
from coinfarm.storage.folder import FolderStorage
from tests.support.fake_models import FakeEngine, promote_model, publish_model

FRAMES = np.zeros((2, 200, 150, 3), np.uint8)


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
def refusals() -> list[str]:
    return []


@pytest.fixture
def manager(storage: Storage, tmp_path: Path, clock: Clock, refusals: list[str]) -> ModelManager:
    return _manager(storage.uri(), tmp_path, clock, refusals)


def _manager(
    uri: str, tmp_path: Path, clock: Clock, refusals: list[str], load_engine: Callable[[Bundle], Engine] = FakeEngine
) -> ModelManager:
    return ModelManager(uri, load_engine, cache_dir=tmp_path / "cache", refresh_s=60, on_refusal=refusals.append, clock=clock)


@pytest.fixture
def publish(storage: Storage, tmp_path: Path) -> Callable[[str], str]:
    return lambda content: publish_model(storage, tmp_path / f"bundle-{content}", content)


@pytest.fixture
def promote_new(storage: Storage, tmp_path: Path) -> Callable[[str], str]:
    return lambda content: promote_model(storage, tmp_path / f"bundle-{content}", content)


def _value(manager: ModelManager) -> float:
    return float(manager.serving().engine.predict(FRAMES)[0, 0])


def test_the_promoted_version_serves(manager: ModelManager, promote_new: Callable[[str], str]) -> None:
    version = promote_new("1")
    model = manager.serving()
    assert model.version == version
    assert model.load_ms > 0
    assert _value(manager) == 1


def test_nothing_is_asked_before_it_is_due(manager: ModelManager, promote_new: Callable[[str], str], clock: Clock) -> None:
    promote_new("1")
    model = manager.serving()
    promote_new("2")
    clock.now += 59
    assert manager.serving() is model
    clock.now += 1
    assert _value(manager) == 2


def test_a_clock_that_is_set_back_does_not_stop_the_refresh(manager: ModelManager, promote_new: Callable[[str], str], clock: Clock) -> None:
    promote_new("1")
    manager.serving()
    promote_new("2")
    clock.now -= 3600
    assert _value(manager) == 2


def test_the_model_stays_loaded_while_the_pointer_stays(manager: ModelManager, promote_new: Callable[[str], str], clock: Clock) -> None:
    promote_new("1")
    model = manager.serving()
    for _ in range(3):
        clock.now += 60
        assert manager.serving() is model


def test_a_version_promoted_again_is_not_loaded_again(
    manager: ModelManager, promote_new: Callable[[str], str], storage: Storage, clock: Clock
) -> None:
    version = promote_new("1")
    model = manager.serving()
    promote(storage, version)
    clock.now += 60
    assert manager.serving() is model


def _missing(storage: Storage, publish: Callable[[str], str]) -> str:
    storage.write(POINTER_KEY, json.dumps({"version": "20260101-00000000"}).encode())
    return "20260101-00000000"


def _tampered(storage: Storage, publish: Callable[[str], str]) -> str:
    version = publish("2")
    promote(storage, version)
    storage.write(bundle_key(version, "model.keras"), b"3")
    return "is not the file that its manifest describes"


def _other_geometry(storage: Storage, publish: Callable[[str], str]) -> str:
    version = publish("2")
    promote(storage, version)
    document = json.loads(storage.read(bundle_key(version)).data)
    document["frame"]["digest"] = "0" * 64
    storage.write(bundle_key(version), json.dumps(document).encode())
    return "digest 00000000"


def _damaged_pointer(storage: Storage, publish: Callable[[str], str]) -> str:
    storage.write(POINTER_KEY, b'{"version"')
    return "current.json is not valid"


def _large_pointer(storage: Storage, publish: Callable[[str], str]) -> str:
    storage.write(POINTER_KEY, b" " * 64_001)
    return "current.json is larger than"


def _damaged_manifest(storage: Storage, publish: Callable[[str], str]) -> str:
    version = publish("2")
    promote(storage, version)
    storage.write(bundle_key(version), b"{")
    return "manifest.json is not valid"


def _engine_raises(storage: Storage, publish: Callable[[str], str]) -> str:
    promote(storage, publish("no number"))
    return r"cannot be loaded: ValueError\("


def _not_finite(storage: Storage, publish: Callable[[str], str]) -> str:
    promote(storage, publish("nan"))
    return "not with finite numbers"


REFUSED = [_missing, _tampered, _other_geometry, _damaged_pointer, _large_pointer, _damaged_manifest, _engine_raises, _not_finite]


@pytest.mark.parametrize("spoil", REFUSED, ids=lambda spoil: spoil.__name__.strip("_").replace("_", " "))
def test_what_cannot_serve_is_refused_while_the_old_one_goes_on_until_the_pointer_moves_on(
    spoil: Callable[[Storage, Callable[[str], str]], str],
    manager: ModelManager,
    storage: Storage,
    publish: Callable[[str], str],
    promote_new: Callable[[str], str],
    clock: Clock,
    refusals: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    promote_new("1")
    model = manager.serving()
    reason = spoil(storage, publish)
    clock.now += 60
    assert manager.serving() is model
    assert len(refusals) == 1
    assert [record.levelno for record in caplog.records if record.levelno > logging.INFO] == [logging.ERROR]
    assert re.search(reason, refusals[0])
    clock.now += 60
    promote_new("4")
    assert _value(manager) == 4
    assert len(refusals) == 1


def test_a_refused_version_is_not_downloaded_again_while_the_pointer_stays(
    tmp_path: Path, publish: Callable[[str], str], promote_new: Callable[[str], str], storage: Storage, clock: Clock, refusals: list[str]
) -> None:
    attempts: list[str] = []

    def load_engine(bundle: Bundle) -> Engine:
        attempts.append(bundle.manifest.version)
        return FakeEngine(bundle)

    manager = _manager(storage.uri(), tmp_path, clock, refusals, load_engine)
    good, bad = promote_new("1"), promote_new("no number")
    promote(storage, good)
    manager.serving()
    promote(storage, bad)
    for _ in range(3):
        clock.now += 60
        manager.serving()
        with pytest.raises(ModelError, match="cannot be loaded"):
            manager.version(bad)
    assert attempts == [good, bad]
    assert len(refusals) == 3
    promote(storage, bad)
    clock.now += 60
    manager.serving()
    assert attempts == [good, bad, bad]


class Failing(FolderStorage):
    """Answers `Unavailable` to the methods named in `failing`."""

    failing: tuple[str, ...] = ()

    def read_if_changed(self, key: str, etag: str | None, max_bytes: int | None = None) -> Blob | None:
        self._may("read_if_changed")
        return super().read_if_changed(key, etag, max_bytes)

    def download(self, key: str, path: Path, max_bytes: int) -> None:
        self._may("download")
        super().download(key, path, max_bytes)

    def _may(self, method: str) -> None:
        if method in self.failing:
            raise Unavailable(f"{method} broke off")


@pytest.mark.parametrize("method", ["read_if_changed", "download"])
def test_what_only_the_network_refuses_is_tried_again(
    method: str,
    promote_new: Callable[[str], str],
    tmp_path: Path,
    clock: Clock,
    refusals: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("coinfarm.models.store.open_storage", lambda root: Failing(Path(root)))
    manager = _manager(str(tmp_path / "root"), tmp_path, clock, refusals)
    promote_new("1")
    manager.serving()
    promote_new("2")
    monkeypatch.setattr(Failing, "failing", (method,))
    for _ in range(2):
        clock.now += 60
        assert _value(manager) == 1
    assert refusals == [f"{method} broke off"] * 2
    monkeypatch.setattr(Failing, "failing", ())
    clock.now += 60
    assert _value(manager) == 2


def test_without_a_first_model_nothing_serves_until_there_is_one(
    manager: ModelManager, promote_new: Callable[[str], str], refusals: list[str]
) -> None:
    with pytest.raises(ModelError, match=r"no model of .*root can serve: .*current.json: no such file"):
        manager.serving()
    promote_new("no number")
    for _ in range(2):
        with pytest.raises(ModelError, match="cannot be loaded"):
            manager.serving()
    promote_new("1")
    assert _value(manager) == 1
    assert refusals == []


def test_a_request_may_pin_a_version(manager: ModelManager, publish: Callable[[str], str], promote_new: Callable[[str], str]) -> None:
    old, current, other = publish("1"), promote_new("2"), publish("3")
    pinned = manager.version(old)
    assert pinned.version == old
    assert _value(manager) == 2
    assert manager.version(old) is pinned
    assert manager.version(current) is manager.serving()
    assert manager.version(other).version == other
    assert manager.version(old) is not pinned


@pytest.mark.parametrize("version", ["20260101-00000000", "latest", "../../../etc"])
def test_a_pinned_version_that_is_not_there_is_not_found(version: str, manager: ModelManager, promote_new: Callable[[str], str]) -> None:
    promote_new("1")
    with pytest.raises(NotFound, match=version):
        manager.version(version)


def test_a_pinned_version_needs_no_pointer(manager: ModelManager, publish: Callable[[str], str]) -> None:
    version = publish("1")
    assert manager.version(version).version == version


def test_the_memory_of_a_replaced_model_is_released(manager: ModelManager, promote_new: Callable[[str], str], clock: Clock) -> None:
    promote_new("1")
    replaced = weakref.ref(manager.serving().engine)
    promote_new("2")
    clock.now += 60
    gc.disable()  # what follows is the manager's doing
    try:
        manager.serving()
        assert replaced() is None
    finally:
        gc.enable()


def test_the_memory_of_a_model_that_was_still_at_work_is_released_later(
    manager: ModelManager, promote_new: Callable[[str], str], clock: Clock
) -> None:
    promote_new("1")
    at_work = manager.serving()
    replaced = weakref.ref(at_work.engine)
    promote_new("2")
    gc.disable()
    try:
        clock.now += 60
        manager.serving()
        assert replaced() is not None
        del at_work
        clock.now += 60
        manager.serving()
        assert replaced() is None
    finally:
        gc.enable()


def test_one_thread_loads_while_the_others_go_on_with_the_old_model(
    storage: Storage, promote_new: Callable[[str], str], tmp_path: Path, clock: Clock, refusals: list[str]
) -> None:
    loading, may_load = threading.Event(), threading.Event()
    may_load.set()

    def load_engine(bundle: Bundle) -> Engine:
        loading.set()
        assert may_load.wait(10)
        return FakeEngine(bundle)

    manager = _manager(storage.uri(), tmp_path, clock, refusals, load_engine)
    promote_new("1")
    manager.serving()
    promote_new("2")
    loading.clear()
    may_load.clear()
    clock.now += 60
    refresher = threading.Thread(target=manager.serving)
    refresher.start()
    assert loading.wait(10)
    assert _value(manager) == 1
    may_load.set()
    refresher.join()
    assert _value(manager) == 2


def test_a_thread_that_has_the_time_refreshes_before_it_is_due(manager: ModelManager, promote_new: Callable[[str], str]) -> None:
    promote_new("1")
    manager.refresh()  # none serves: that is the first request's
    assert _value(manager) == 1
    promote_new("2")
    manager.refresh()
    assert _value(manager) == 2


def test_threads_that_come_before_the_first_model_wait_and_share_it(manager: ModelManager, promote_new: Callable[[str], str]) -> None:
    promote_new("1")
    models: list[Any] = []
    threads = [threading.Thread(target=lambda: models.append(manager.serving())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(models) == 4
    assert len(set(map(id, models))) == 1


def test_a_bare_model_serves_and_is_replaced_when_its_file_is(tmp_path: Path, clock: Clock, refusals: list[str]) -> None:
    path = tmp_path / "model.keras"
    path.write_text("1")
    manager = _manager(str(path), tmp_path, clock, refusals)
    assert _value(manager) == 1
    assert manager.serving().version.startswith("bare-")
    path.write_text("2")
    clock.now += 60
    assert _value(manager) == 2
    path.unlink()
    clock.now += 60
    assert _value(manager) == 2
    assert len(refusals) == 1


def test_an_engine_of_other_outputs_is_refused(storage: Storage, promote_new: Callable[[str], str], tmp_path: Path, clock: Clock) -> None:
    class TwoOutputs(FakeEngine):
        def predict(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
            return super().predict(frames)[:, :2]

    promote_new("1")
    with pytest.raises(ModelError, match=r"not with finite numbers of shape \(5, 3\)"):
        _manager(storage.uri(), tmp_path, clock, [], TwoOutputs).serving()


def test_a_cache_that_cannot_be_written_refuses_no_version(
    storage: Storage, promote_new: Callable[[str], str], tmp_path: Path, clock: Clock
) -> None:
    version = promote_new("1")
    (tmp_path / "cache").touch()
    manager = _manager(storage.uri(), tmp_path, clock, [])
    with pytest.raises(StorageError, match="MODEL_CACHE_DIR"):
        manager.version(version)
    (tmp_path / "cache").unlink()
    assert manager.version(version).version == version


def test_nothing_happens_before_the_first_call(tmp_path: Path) -> None:
    ModelManager("s3://bucket/that/nobody/asks", FakeEngine, cache_dir=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
