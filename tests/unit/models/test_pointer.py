import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from coinfarm.errors import Conflict, ModelError, NotFound
from coinfarm.models.pointer import POINTER_KEY, promotions, read_pointer, rollback, undo_rollback
from coinfarm.models.promotion import promote
from coinfarm.storage import Storage
from coinfarm.storage.folder import FolderStorage
from tests.support.fake_models import publish_model


@pytest.fixture
def versions(storage: Storage, tmp_path: Path) -> list[str]:
    """Three versions, published and not promoted."""
    return [publish_model(storage, tmp_path / content, content) for content in ("1", "2", "3")]


def _serving(storage: Storage) -> str:
    return str(json.loads(storage.read(POINTER_KEY).data)["version"])


def test_every_replaced_pointer_is_in_the_history(storage: Storage, versions: list[str]) -> None:
    assert promotions(storage) == []
    pointers = [promote(storage, version) for version in versions]
    assert len(list(storage.list("history/"))) == len(pointers) - 1
    assert promotions(storage) == pointers[::-1]


def test_each_rollback_goes_one_version_further_back(storage: Storage, versions: list[str]) -> None:
    first, second, third = versions
    for version in versions:
        promote(storage, version)
    assert rollback(storage, note="worse than expected").version == second
    assert rollback(storage).version == first
    with pytest.raises(NotFound, match=POINTER_KEY):
        rollback(storage)
    promote(storage, third)
    assert rollback(storage).version == first
    assert _serving(storage) == first


def test_a_rollback_skips_repeated_promotions(storage: Storage, versions: list[str]) -> None:
    first, second, _ = versions
    for version in (first, second, second):
        promote(storage, version)
    assert rollback(storage).version == first


@pytest.mark.parametrize("data", [b"", b"{}", b'{"version": ', b'{"version": "../../etc"}', b'{"version": "latest"}'])
def test_a_damaged_pointer_is_an_error_until_a_promotion_replaces_it(data: bytes, storage: Storage, versions: list[str]) -> None:
    storage.write(POINTER_KEY, data)
    with pytest.raises(ModelError, match=POINTER_KEY):
        read_pointer(storage)
    promote(storage, versions[0])
    assert _serving(storage) == versions[0]


def test_rolls_back_to_a_pointer_written_by_hand(storage: Storage, versions: list[str]) -> None:
    storage.write(POINTER_KEY, json.dumps({"version": versions[0]}).encode())
    promote(storage, versions[1])
    assert rollback(storage).version == versions[0]


def test_the_loser_of_two_simultaneous_promotions_is_a_conflict(tmp_path: Path, versions: list[str]) -> None:
    class Raced(FolderStorage):
        """Another process promotes between the read and the write of the pointer."""

        def write(self, key: str, data: bytes, **conditions: Any) -> str:
            if key == POINTER_KEY:
                promote(FolderStorage(tmp_path / "root"), versions[2])
            return super().write(key, data, **conditions)

    for _ in ("the first pointer", "a later one"):
        with pytest.raises(Conflict, match=POINTER_KEY):
            promote(Raced(tmp_path / "root"), versions[1])
        assert _serving(Raced(tmp_path / "root")) == versions[2]


def test_simultaneous_promotions_lose_no_pointer(storage: Storage, versions: list[str]) -> None:
    def attempt(version: str) -> bool:
        try:
            promote(storage, version)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        won = sum(threads.map(attempt, versions * 4))
    assert won >= 1
    assert len(list(storage.list("history/"))) == won - 1


def test_a_repeated_write_of_the_same_pointer_is_no_conflict(tmp_path: Path, versions: list[str]) -> None:
    class Retried(FolderStorage):
        """Like boto3 after a lost response: the second attempt finds the bytes of the first."""

        def write(self, key: str, data: bytes, **conditions: Any) -> str:
            if key == POINTER_KEY:
                super().write(key, data, **conditions)
            return super().write(key, data, **conditions)

    storage = Retried(tmp_path / "root")
    for version in versions:
        promote(storage, version)
    assert _serving(storage) == versions[-1]


def test_the_pointer_is_read_only_if_it_changed(storage: Storage, versions: list[str]) -> None:
    promoted = promote(storage, versions[0], note="first")
    read = read_pointer(storage)
    assert read is not None
    pointer, etag = read
    assert pointer == promoted
    assert read_pointer(storage, etag) is None


def test_undoing_rollbacks_goes_forward_again(storage: Storage, versions: list[str]) -> None:
    _, second, third = versions
    for version in versions:
        promote(storage, version)
    with pytest.raises(NotFound, match=POINTER_KEY):
        undo_rollback(storage)
    rollback(storage)
    rollback(storage)
    assert undo_rollback(storage, note="it was the data").version == second
    assert undo_rollback(storage).version == third
    assert _serving(storage) == third
    assert rollback(storage).version == second


def test_there_is_no_rollback_to_undo_without_a_pointer(storage: Storage, versions: list[str]) -> None:
    with pytest.raises(NotFound, match=POINTER_KEY):
        undo_rollback(storage)
