"""A model root with a valid network in service, to which an attacker publishes others."""

import stat
import zipfile
from collections.abc import Container
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from coinfarm.engines.loading import load_engine
from coinfarm.models.bundle import Bundle
from coinfarm.models.manifest import Member
from coinfarm.models.promotion import promote
from coinfarm.models.publish import publish
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.prediction.model_manager import ModelManager
from coinfarm.storage import Storage, open_storage

Parts = dict[str, bytes]
FRAMES = np.zeros((2, 200, 150, 3), np.uint8)


@pytest.fixture(autouse=True)
def container() -> None:
    """Replaces the container of the unit tests: these tests load real models."""


@pytest.fixture(scope="module")
def archive_parts(keras: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """The files in the archive of a small network."""
    frame = keras.Input((200, 150, 3))
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(frame)
    path = tmp_path_factory.mktemp("archive_parts") / "model.keras"
    keras.Model(frame, keras.layers.Dense(3, name="last")(pooled)).save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(parts: Parts, file: Path, links: Container[str] = ()) -> None:
    """Write the archive; those in `links` are symbolic links."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = (stat.S_IFLNK | 0o777) << 16 if name in links else 0
            archive.writestr(member, content, zipfile.ZIP_DEFLATED)


def manager_of(storage: Storage, folder: Path, rejections: list[str]) -> ModelManager:
    """A model manager with real engines that looks for a new version at every call."""
    options: dict[str, Any] = {
        "cache_dir": folder / "cache",
        "refresh_s": 0,
        "on_rejection": lambda rejection: rejections.append(f"{rejection.version}: {rejection.reason}"),
    }
    return ModelManager(storage.uri(), lambda bundle: load_engine(bundle, "auto", 10), **options)


class ModelRoot:
    """A model root with a valid network in service, and its manager."""

    def __init__(self, folder: Path, archive_parts: Parts) -> None:
        self.folder = folder
        self.storage = open_storage(str(folder / "root"))
        self.rejections: list[str] = []
        self.manager = manager_of(self.storage, folder, self.rejections)
        self.publish(archive_parts)
        self.serving = self.manager.current_model()

    def publish(self, parts: Parts, *, member: bool = False) -> str:
        """Publish and promote, as an attacker with the rights of a publisher."""
        folder = self.folder / f"bundle-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        pack(parts, folder / "model.keras")
        details: dict[str, Any] = {}
        if member:
            (folder / "model.keras").rename(folder / "one.keras")
            details["members"] = (Member(file="one.keras", outputs=OUTPUT_NAMES),)
        version = publish(self.storage, Bundle.create(folder, name="network", **details))
        promote(self.storage, version)
        return version

    def last_rejection(self) -> str:
        """Assert that the last promoted version is rejected and the first stays in service; return its version and the reason."""
        before = len(self.rejections)
        assert self.manager.current_model() is self.serving
        assert self.serving.engine.predict(FRAMES).shape == (2, 3)
        assert len(self.rejections) == before + 1
        assert len(self.rejections[-1]) < 2000
        return self.rejections[-1]


@pytest.fixture
def root(tmp_path: Path, archive_parts: Parts) -> ModelRoot:
    return ModelRoot(tmp_path, archive_parts)


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """Exists if the attacker's code was run."""
    return tmp_path / "canary"
