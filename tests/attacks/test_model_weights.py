"""HDF5 weights that refer to other files or expand to gigabytes are rejected."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.attacks.model_root import ModelRoot, Parts


@pytest.fixture(autouse=True)
def container() -> None:
    """Replaces the container of the unit tests: these tests load real models."""


KERNEL = "layers/last/vars/0"


def external_storage(file: Any, secret: Path) -> None:
    file.create_dataset(KERNEL, (3, 3), "f4", external=[(str(secret), 0, 36)])


def external_link(file: Any, secret: Path) -> None:
    file[KERNEL] = h5py.ExternalLink(str(secret), "x")


def virtual(file: Any, secret: Path) -> None:
    layout = h5py.VirtualLayout((3, 3), "f4")
    layout[:] = h5py.VirtualSource(str(secret), "x", (3, 3))
    file.create_virtual_dataset(KERNEL, layout)


def circle(file: Any, _: Path) -> None:
    file[KERNEL] = h5py.SoftLink(f"/{KERNEL}")


def huge(file: Any, _: Path) -> None:
    file.create_dataset(KERNEL, (20_000, 20_000), "f4", chunks=(1000, 1000), compression="gzip")


@pytest.mark.tensorflow
@pytest.mark.parametrize("make", [external_storage, external_link, virtual, circle, huge], ids=lambda make: make.__name__.replace("_", " "))
def test_rejects_weights_outside_the_file(
    root: ModelRoot, archive_parts: Parts, tmp_path: Path, limit_memory: Any, make: Callable[[Any, Path], None]
) -> None:
    secret, weights = tmp_path / "secret", tmp_path / "weights.h5"
    secret.write_bytes(np.full(9, 42, np.float32).tobytes())
    weights.write_bytes(archive_parts["model.weights.h5"])
    with h5py.File(weights, "a") as file:
        path = next(name for name in _datasets(file) if file[name].shape == (3, 3))
        del file[path]
        make(_KernelPath(file, path), secret)
    root.publish({**archive_parts, "model.weights.h5": weights.read_bytes()})
    with limit_memory(100):
        assert "model.keras" in root.last_refusal()


class _KernelPath:
    """An HDF5 file in which `KERNEL` stands for the path of the kernel."""

    def __init__(self, file: Any, path: str) -> None:
        self._file, self._path = file, path

    def create_dataset(self, _: str, *arguments: Any, **options: Any) -> None:
        self._file.create_dataset(self._path, *arguments, **options)

    def create_virtual_dataset(self, _: str, layout: Any) -> None:
        self._file.create_virtual_dataset(self._path, layout)

    def __setitem__(self, _: str, link: Any) -> None:
        self._file[self._path] = h5py.SoftLink(f"/{self._path}") if isinstance(link, h5py.SoftLink) else link


def _datasets(file: Any) -> list[str]:
    names: list[str] = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return names
