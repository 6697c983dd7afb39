import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from coinfarm.errors import NotFound
from coinfarm.models.promotion import promote
from coinfarm.prediction.model_manager import ModelManager
from tests.support.fake_models import FakeEngine, value_of
from tests.support.keras_archives import write_keras_archive


def test_checks_the_pointer_only_after_refresh_s(manager, promote_new, storage, clock):
    version = promote_new("1")
    model = manager.current_model()
    assert (model.version, value_of(manager)) == (version, 1)
    assert model.load_ms > 0
    promote(storage, version)
    clock.now += 60
    assert manager.current_model() is model, "the same version is not loaded again"
    promote_new("2")
    clock.now += 59
    assert manager.current_model() is model
    clock.now += 1
    assert value_of(manager) == 2


def test_refreshes_at_once_on_request_or_if_the_clock_is_set_back(manager, promote_new, clock):
    promote_new("1")
    manager.refresh()  # does nothing before the first request
    assert value_of(manager) == 1
    promote_new("2")
    manager.refresh()
    assert value_of(manager) == 2
    promote_new("3")
    clock.now -= 3600
    assert value_of(manager) == 3


def test_loads_pinned_versions(manager, publish, promote_new):
    old, current, other = publish("1"), promote_new("2"), publish("3")
    pinned = manager.pinned_model(old)
    assert pinned.version == old
    assert value_of(manager) == 2
    assert manager.pinned_model(old) is pinned
    assert manager.pinned_model(current) is manager.current_model()
    assert manager.pinned_model(other).version == other
    assert manager.pinned_model(old) is not pinned


@pytest.mark.parametrize("version", ["20260101-00000000", "latest", "../../../etc"])
def test_unknown_pinned_versions_are_not_found(version, manager, promote_new):
    promote_new("1")
    with pytest.raises(NotFound, match=version):
        manager.pinned_model(version)


@pytest.mark.parametrize("is_in_use", [False, True], ids=["unused", "in use"])
def test_releases_a_replaced_model_once_it_is_unused(manager, promote_new, clock, is_in_use):
    promote_new("1")
    in_use = manager.current_model() if is_in_use else None
    replaced = weakref.ref(manager.current_model().engine)
    promote_new("2")
    gc.disable()  # only the manager collects garbage
    try:
        clock.now += 60
        manager.current_model()
        assert (replaced() is not None) == is_in_use
        del in_use
        clock.now += 60
        manager.current_model()
        assert replaced() is None
    finally:
        gc.enable()


def test_one_thread_loads_while_others_use_the_old_model(make_manager, promote_new, clock):
    loading, may_load = threading.Event(), threading.Event()
    may_load.set()

    def load_engine(bundle):
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


def test_threads_wait_for_the_first_model_and_share_it(manager, promote_new):
    promote_new("1")
    with ThreadPoolExecutor(4) as pool:
        models = list(pool.map(lambda _: manager.current_model(), range(4)))
    assert len(set(map(id, models))) == 1


def test_serves_a_bare_file_and_follows_its_changes(make_manager, tmp_path, clock, rejections):
    path = write_keras_archive(tmp_path / "model.keras")
    manager = make_manager(uri=str(path))
    assert value_of(manager) == 1
    assert manager.current_model().version.startswith("bare-")
    write_keras_archive(path, content="2")
    clock.now += 60
    assert value_of(manager) == 2
    path.unlink()
    clock.now += 60
    assert value_of(manager) == 2
    assert len(rejections) == 1


def test_accesses_nothing_before_the_first_call(tmp_path):
    ModelManager("s3://bucket/models", FakeEngine, cache_dir=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
