"""Models in S3, over HTTP to moto's server."""

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from coinfarm.errors import Conflict, ModelError, NotFound
from coinfarm.models.pointer import POINTER_KEY, rollback
from coinfarm.models.promotion import promote
from coinfarm.models.publish import publish
from coinfarm.models.store import ModelStore, open_model_root
from coinfarm.models.version import bundle_key
from coinfarm.prediction.model_manager import ModelManager
from coinfarm.storage import Storage
from coinfarm.storage.s3 import S3Storage
from tests.support.fake_models import FakeEngine, promote_model, publish_model, seal

FRAMES = np.zeros((2, 200, 150, 3), np.uint8)


@pytest.fixture
def refusals() -> list[str]:
    return []


@pytest.fixture
def manager(storage: Storage, tmp_path: Path, refusals: list[str]) -> ModelManager:
    """A manager that reads the pointer at every call."""
    return ModelManager(storage.uri(), FakeEngine, cache_dir=tmp_path / "cache", refresh_s=0, on_refusal=refusals.append)


def _value(manager: ModelManager) -> float:
    return float(manager.serving().engine.predict(FRAMES)[0, 0])


def test_publishes_promotes_and_rolls_back(storage: Storage, manager: ModelManager, tmp_path: Path) -> None:
    first = promote_model(storage, tmp_path / "1", "1")
    assert _value(manager) == 1
    second = promote_model(storage, tmp_path / "2", "2")
    assert _value(manager) == 2
    assert ModelStore(storage).versions() == sorted([first, second])
    rollback(storage)
    assert _value(manager) == 1
    assert len(list(storage.list("history/"))) == 2


def test_publishing_again_changes_nothing(storage: Storage, tmp_path: Path) -> None:
    bundle = seal(tmp_path / "1", "1")
    version = publish(storage, bundle)
    before = {key: storage.read(key) for key in storage.list()}
    assert publish(storage, bundle) == version
    assert {key: storage.read(key) for key in storage.list()} == before


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


def test_a_promotion_is_picked_up_without_a_failed_prediction(
    storage: Storage, manager: ModelManager, tmp_path: Path, refusals: list[str]
) -> None:
    promote_model(storage, tmp_path / "0", "0")
    seen: list[list[float]] = [[], []]
    failures: list[BaseException] = []
    done = threading.Event()

    def keep_predicting(values: list[float]) -> None:
        try:
            while not done.is_set():
                values.append(_value(manager))
        except BaseException as error:  # noqa: BLE001 - shown by the test, not by the thread
            failures.append(error)

    threads = [threading.Thread(target=keep_predicting, args=(values,)) for values in seen]
    for thread in threads:
        thread.start()
    for value in (1, 2, 3):
        promote_model(storage, tmp_path / str(value), str(value))
        for _ in range(1000):
            if _value(manager) == value:
                break
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert refusals == []
    assert _value(manager) == 3
    assert all(values and values == sorted(values) for values in seen), "a thread fell back to an older version"


def _damage_pointer(storage: Storage, version: str) -> None:
    storage.write(POINTER_KEY, b'{"version": ')


def _point_at_missing_version(storage: Storage, version: str) -> None:
    storage.write(POINTER_KEY, b'{"version": "20260101-00000000"}')


def _change_file(storage: Storage, version: str) -> None:
    promote(storage, version)
    storage.write(bundle_key(version, "model.keras"), b"3")


def _change_geometry(storage: Storage, version: str) -> None:
    promote(storage, version)
    manifest = json.loads(storage.read(bundle_key(version)).data)
    manifest["frame"]["digest"] = "0" * 64
    storage.write(bundle_key(version), json.dumps(manifest).encode())


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        pytest.param(_damage_pointer, "current.json", id="damaged pointer"),
        pytest.param(_point_at_missing_version, "20260101-00000000", id="missing version"),
        pytest.param(_change_file, "model.keras", id="changed file"),
        pytest.param(_change_geometry, "00000000", id="other geometry"),
    ],
)
def test_the_old_version_serves_until_a_valid_one_is_promoted(
    damage: Callable[[Storage, str], None], named: str, storage: Storage, manager: ModelManager, tmp_path: Path, refusals: list[str]
) -> None:
    promote_model(storage, tmp_path / "1", "1")
    assert _value(manager) == 1
    damage(storage, publish_model(storage, tmp_path / "2", "2"))
    assert _value(manager) == 1
    assert len(refusals) == 1
    assert named in refusals[0]
    promote_model(storage, tmp_path / "4", "4")
    assert _value(manager) == 4
    assert len(refusals) == 1


def test_the_old_version_serves_during_an_outage(
    storage: Storage,
    manager: ModelManager,
    point_s3_at: Callable[[str], None],
    tmp_path: Path,
    refusals: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    promote_model(storage, tmp_path / "1", "1")
    assert _value(manager) == 1
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    moto_url = os.environ["AWS_ENDPOINT_URL_S3"]
    point_s3_at("http://127.0.0.1:9")
    assert _value(manager) == 1
    assert len(refusals) == 1
    point_s3_at(moto_url)
    promote_model(storage, tmp_path / "2", "2")
    assert _value(manager) == 2


def test_the_next_process_finds_the_model_in_the_cache(storage: Storage, tmp_path: Path) -> None:
    version = promote_model(storage, tmp_path / "1", "1")
    for _ in ("the first process", "the next one"):
        manager = ModelManager(storage.uri(), FakeEngine, cache_dir=tmp_path / "cache")
        assert manager.version(version).version == version
        storage.write(bundle_key(version, "model.keras"), b"gone")


def test_a_keras_file_in_s3_serves(storage: Storage, tmp_path: Path) -> None:
    storage.write("mine.keras", b"1")
    manager = ModelManager(storage.uri("mine.keras"), FakeEngine, cache_dir=tmp_path / "cache", refresh_s=0)
    assert _value(manager) == 1
    assert manager.serving().bundle.manifest.name == "mine"
    storage.write("mine.keras", b"2")
    assert _value(manager) == 2


def test_without_a_promoted_version_nothing_serves(manager: ModelManager) -> None:
    with pytest.raises(ModelError, match=r"s3://models/.*current.json"):
        manager.serving()


def test_a_model_root_needs_a_version(storage: Storage) -> None:
    with pytest.raises(NotFound, match="coinfarm model publish"):
        open_model_root(storage.uri("nothing-here"))
