import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from coinfarm.errors import Conflict, NotFound
from coinfarm.models.pointer import POINTER_KEY, history, read_pointer, rollback
from coinfarm.models.promotion import promote
from coinfarm.storage import Storage, open_storage
from coinfarm.storage.folder import FolderStorage
from tests.support.fake_models import publish_model


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(str(tmp_path / "root"))


@pytest.fixture
def versions(storage: Storage, tmp_path: Path) -> list[str]:
    """Three versions, published and not promoted."""
    return [publish_model(storage, tmp_path / content, content) for content in ("1", "2", "3")]


def _serving(storage: Storage) -> str:
    return str(json.loads(storage.read(POINTER_KEY).data)["version"])


def test_what_is_promoted_serves(storage: Storage, versions: list[str]) -> None:
    for version in versions:
        promote(storage, version, note="better")
        assert _serving(storage) == version


def test_every_pointer_that_was_replaced_is_in_the_history(storage: Storage, versions: list[str]) -> None:
    moves = [promote(storage, version) for version in versions]
    assert len(list(storage.list("history/"))) == len(moves) - 1
    assert history(storage) == moves[::-1]


def test_a_root_where_nothing_was_promoted_has_no_history(storage: Storage) -> None:
    assert history(storage) == []


def test_a_rollback_goes_one_version_further_back_each_time(storage: Storage, versions: list[str]) -> None:
    first, second, third = versions
    for version in versions:
        promote(storage, version)
    assert rollback(storage, note="worse than it looked").version == second
    assert rollback(storage).version == first
    with pytest.raises(NotFound, match="no version before the present one"):
        rollback(storage)
    promote(storage, third)
    assert rollback(storage).version == first
    assert _serving(storage) == first


def test_a_version_promoted_again_rolls_back_to_what_was_before_it(storage: Storage, versions: list[str]) -> None:
    first, second, _ = versions
    for version in (first, second, second):
        promote(storage, version)
    assert rollback(storage).version == first


def test_a_promotion_that_expects_another_version_is_refused(storage: Storage, versions: list[str]) -> None:
    first, second, third = versions
    with pytest.raises(Conflict, match=f"nothing serves, not {first}"):
        promote(storage, second, expected=first)
    promote(storage, first)
    promote(storage, second, expected=first)
    with pytest.raises(Conflict, match=f"{second} serves, not {first}"):
        promote(storage, third, expected=first)
    assert _serving(storage) == second


def test_a_damaged_pointer_is_replaced_by_a_promotion(storage: Storage, versions: list[str]) -> None:
    storage.write(POINTER_KEY, b'{"version": ')
    promote(storage, versions[0])
    assert _serving(storage) == versions[0]


def test_a_pointer_written_by_hand_can_be_rolled_back_to(storage: Storage, versions: list[str]) -> None:
    storage.write(POINTER_KEY, json.dumps({"version": versions[0]}).encode())
    promote(storage, versions[1])
    assert rollback(storage).version == versions[0]


def test_of_two_who_promote_at_once_one_is_told(tmp_path: Path, versions: list[str]) -> None:
    class Raced(FolderStorage):
        """Somebody else promotes between our look at the pointer and our write."""

        def write(self, key: str, data: bytes, **conditions: Any) -> str:
            if key == POINTER_KEY:
                promote(FolderStorage(tmp_path / "root"), versions[2])
            return super().write(key, data, **conditions)

    for _ in ("the first pointer", "a later one"):
        with pytest.raises(Conflict, match="somebody else moved the pointer at the same time"):
            promote(Raced(tmp_path / "root"), versions[1])
        assert _serving(Raced(tmp_path / "root")) == versions[2]


def test_threads_that_promote_at_once_lose_no_pointer(storage: Storage, versions: list[str]) -> None:
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


def test_a_write_that_succeeded_though_its_answer_was_lost_is_no_conflict(tmp_path: Path, versions: list[str]) -> None:
    class Retried(FolderStorage):
        """As boto3: the first attempt is written, its answer is lost, the second one finds the bytes of the first."""

        def write(self, key: str, data: bytes, **conditions: Any) -> str:
            if key == POINTER_KEY:
                super().write(key, data, **conditions)
            return super().write(key, data, **conditions)

    storage = Retried(tmp_path / "root")
    for version in versions:
        promote(storage, version)
    assert _serving(storage) == versions[-1]


def test_the_pointer_is_read_only_if_it_moved(storage: Storage, versions: list[str]) -> None:
    promoted = promote(storage, versions[0], note="first")
    found = read_pointer(storage)
    assert found is not None
    assert found[0] == promoted
    assert read_pointer(storage, found[1]) is None
