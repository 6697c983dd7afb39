import gc
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coinfarm.engines.engine import Engine
from coinfarm.errors import NotFound
from coinfarm.models.bundle import Bundle
from coinfarm.models.promotion import promote
from coinfarm.prediction.model_manager import ModelManager
from coinfarm.storage import Storage
from tests.support.fake_models import FakeEngine, value_of
from tests.unit.prediction.conftest import Clock


def test_serves_the_promoted_version(manager: ModelManager, promote_new: Callable[[str], str]) -> None:
    version = promote_new("1")
    model = manager.current_model()
    assert model.version == version
    assert model.load_ms > 0
    assert value_of(manager) == 1


def test_checks_the_pointer_only_after_refresh_s(manager: ModelManager, promote_new: Callable[[str], str], clock: Clock) -> None:
    promote_new("1")
    model = manager.current_model()
    promote_new("2")
    clock.now += 59
    assert manager.current_model() is model
    clock.now += 1
    assert value_of(manager) == 2


def test_refreshes_after_the_clock_is_set_back(manager: ModelManager, promote_new: Callable[[str], str], clock: Clock) -> None:
    promote_new("1")
    manager.current_model()
    promote_new("2")
    clock.now -= 3600
    assert value_of(manager) == 2


def test_does_not_reload_the_same_version(manager: ModelManager, promote_new: Callable[[str], str], storage: Storage, clock: Clock) -> None:
    version = promote_new("1")
    model = manager.current_model()
    promote(storage, version)
    clock.now += 60
    assert manager.current_model() is model


def test_loads_pinned_versions(manager: ModelManager, publish: Callable[[str], str], promote_new: Callable[[str], str]) -> None:
    old, current, other = publish("1"), promote_new("2"), publish("3")
    pinned = manager.version(old)
    assert pinned.version == old
    assert value_of(manager) == 2
    assert manager.version(old) is pinned
    assert manager.version(current) is manager.current_model()
    assert manager.version(other).version == other
    assert manager.version(old) is not pinned


@pytest.mark.parametrize("version", ["20260101-00000000", "latest", "../../../etc"])
def test_unknown_pinned_versions_are_not_found(version: str, manager: ModelManager, promote_new: Callable[[str], str]) -> None:
    promote_new("1")
    with pytest.raises(NotFound, match=version):
        manager.version(version)


def test_releases_a_replaced_model(manager: ModelManager, promote_new: Callable[[str], str], clock: Clock) -> None:
    promote_new("1")
    replaced = weakref.ref(manager.current_model().engine)
    promote_new("2")
    clock.now += 60
    gc.disable()  # only the manager collects garbage
    try:
        manager.current_model()
        assert replaced() is None
    finally:
        gc.enable()


def test_releases_a_model_that_was_still_in_use_later(manager: ModelManager, promote_new: Callable[[str], str], clock: Clock) -> None:
    promote_new("1")
    in_use = manager.current_model()
    replaced = weakref.ref(in_use.engine)
    promote_new("2")
    gc.disable()
    try:
        clock.now += 60
        manager.current_model()
        assert replaced() is not None
        del in_use
        clock.now += 60
        manager.current_model()
        assert replaced() is None
    finally:
        gc.enable()


def test_one_thread_loads_while_others_use_the_old_model(
    make_manager: Callable[..., ModelManager], promote_new: Callable[[str], str], clock: Clock
) -> None:
    loading, may_load = threading.Event(), threading.Event()
    may_load.set()

    def load_engine(bundle: Bundle) -> Engine:
        loading.set()
        assert may_load.wait(10)
        return FakeEngine(bundle)

    manager = make_manager(load_engine)
    promote_new("1")
    manager.current_model()
    promote_new("2")
    loading.clear()
    may_load.clear()
    clock.now += 60
    refresher = threading.Thread(target=manager.current_model)
    refresher.start()
    assert loading.wait(10)
    assert value_of(manager) == 1
    may_load.set()
    refresher.join()
    assert value_of(manager) == 2


def test_refresh_checks_the_pointer_at_once(manager: ModelManager, promote_new: Callable[[str], str]) -> None:
    promote_new("1")
    manager.refresh()  # does nothing before the first request
    assert value_of(manager) == 1
    promote_new("2")
    manager.refresh()
    assert value_of(manager) == 2


def test_threads_wait_for_the_first_model_and_share_it(manager: ModelManager, promote_new: Callable[[str], str]) -> None:
    promote_new("1")
    models: list[Any] = []
    threads = [threading.Thread(target=lambda: models.append(manager.current_model())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(models) == 4
    assert len(set(map(id, models))) == 1


def test_serves_a_bare_file_and_follows_its_changes(
    make_manager: Callable[..., ModelManager], tmp_path: Path, clock: Clock, rejections: list[str]
) -> None:
    path = tmp_path / "model.keras"
    path.write_text("1")
    manager = make_manager(uri=str(path))
    assert value_of(manager) == 1
    assert manager.current_model().version.startswith("bare-")
    path.write_text("2")
    clock.now += 60
    assert value_of(manager) == 2
    path.unlink()
    clock.now += 60
    assert value_of(manager) == 2
    assert len(rejections) == 1


def test_accesses_nothing_before_the_first_call(tmp_path: Path) -> None:
    ModelManager("s3://bucket/models", FakeEngine, cache_dir=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
