"""The model manager with invalid versions and failing storage."""

import json
import logging
from pathlib import Path

import pytest

from coinfarm.errors import ModelError, StorageError, Unavailable
from coinfarm.models.pointer import POINTER_KEY
from coinfarm.models.promotion import promote
from coinfarm.models.version import bundle_key
from coinfarm.storage.folder import FolderStorage
from tests.support.fake_models import FakeEngine, value_of


def promote_tampered(storage, publish):
    version = publish("2")
    promote(storage, version)
    storage.write(bundle_key(version, "model.keras"), b"3")


def promote_other_geometry(storage, publish):
    version = publish("2")
    promote(storage, version)
    document = json.loads(storage.read(bundle_key(version)).data)
    document["frame"]["digest"] = "0" * 64
    storage.write(bundle_key(version), json.dumps(document).encode())


def pointer_of(content):
    return lambda storage, publish: storage.write(POINTER_KEY, content)


@pytest.mark.parametrize(
    ("make_invalid", "reason"),
    [
        pytest.param(pointer_of(b'{"version": "20260101-00000000"}'), "20260101-00000000", id="missing"),
        pytest.param(pointer_of(b'{"version"'), "current.json", id="damaged pointer"),
        pytest.param(pointer_of(b" " * 64_001), "current.json", id="large pointer"),
        pytest.param(promote_tampered, "model.keras", id="tampered"),
        pytest.param(promote_other_geometry, "00000000", id="other geometry"),
        pytest.param(lambda storage, publish: promote(storage, publish("not a number")), "ValueError", id="engine raises"),
        pytest.param(lambda storage, publish: promote(storage, publish("nan")), "nan", id="not finite"),
    ],
)
def test_rejects_an_invalid_version_and_keeps_the_old_one(
    make_invalid, reason, manager, storage, publish, promote_new, clock, rejections, caplog
):
    promote_new("1")
    model = manager.current_model()
    make_invalid(storage, publish)
    clock.now += 60
    assert manager.current_model() is model
    assert len(rejections) == 1
    assert [record.levelno for record in caplog.records if record.levelno > logging.INFO] == [logging.ERROR]
    assert reason in rejections[0]
    assert (manager.rejection.serving, manager.rejection.reason) == (model.version, rejections[0])
    clock.now += 60
    promote_new("4")
    assert value_of(manager) == 4
    assert manager.rejection is None
    assert len(rejections) == 1


def test_does_not_load_a_rejected_version_again(make_manager, promote_new, storage, clock, rejections):
    attempts = []

    def load_engine(bundle):
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
            manager.pinned_model(bad)
    assert attempts == [good, bad]
    assert len(rejections) == 3
    promote(storage, bad)
    clock.now += 60
    manager.current_model()
    assert attempts == [good, bad, bad]


@pytest.mark.parametrize("method", ["read_if_changed", "download"])
def test_retries_after_network_errors(method, make_manager, promote_new, tmp_path, clock, rejections, monkeypatch):
    class Failing(FolderStorage):
        """Fails in a method while there is a file `failing`."""

    def fail_or_call(self, *arguments, **options):
        if (tmp_path / "failing").exists():
            raise Unavailable(f"{method} failed")
        return getattr(FolderStorage, method)(self, *arguments, **options)

    monkeypatch.setattr(Failing, method, fail_or_call)
    monkeypatch.setattr("coinfarm.models.store.open_storage", lambda root: Failing(Path(root)))
    manager = make_manager(uri=str(tmp_path / "root"))
    promote_new("1")
    manager.current_model()
    promote_new("2")
    (tmp_path / "failing").touch()
    for _ in range(2):
        clock.now += 60
        assert value_of(manager) == 1
    assert rejections == [f"{method} failed"] * 2
    (tmp_path / "failing").unlink()
    clock.now += 60
    assert value_of(manager) == 2


def test_raises_until_there_is_a_first_model(manager, promote_new, rejections):
    with pytest.raises(ModelError, match="no model versions"):
        manager.current_model()
    promote_new("not a number")
    for _ in range(2):
        with pytest.raises(ModelError):
            manager.current_model()
    promote_new("1")
    assert value_of(manager) == 1
    assert rejections == []


def test_rejects_an_engine_with_other_outputs(make_manager, promote_new):
    class TwoOutputs(FakeEngine):
        def predict(self, frames):
            return super().predict(frames)[:, :2]

    promote_new("1")
    with pytest.raises(ModelError, match=r"\(5, 3\)"):
        make_manager(TwoOutputs).current_model()


def test_an_unwritable_cache_is_no_rejection(manager, promote_new, tmp_path):
    version = promote_new("1")
    (tmp_path / "cache").touch()
    with pytest.raises(StorageError, match="MODEL_CACHE_DIR"):
        manager.pinned_model(version)
    (tmp_path / "cache").unlink()
    assert manager.pinned_model(version).version == version
