"""HDF5 weights that refer to other files or expand to gigabytes are rejected."""

import h5py
import numpy as np
import pytest


def external_storage(file, path, secret):
    file.create_dataset(path, (3, 3), "f4", external=[(str(secret), 0, 36)])


def external_link(file, path, secret):
    file[path] = h5py.ExternalLink(str(secret), "x")


def virtual(file, path, secret):
    layout = h5py.VirtualLayout((3, 3), "f4")
    layout[:] = h5py.VirtualSource(str(secret), "x", (3, 3))
    file.create_virtual_dataset(path, layout)


def circle(file, path, _):
    file[path] = h5py.SoftLink(f"/{path}")


def huge(file, path, _):
    file.create_dataset(path, (20_000, 20_000), "f4", chunks=(1000, 1000), compression="gzip")


@pytest.mark.tensorflow
@pytest.mark.parametrize("make", [external_storage, external_link, virtual, circle, huge], ids=lambda make: make.__name__.replace("_", " "))
def test_rejects_weights_outside_the_file(root, archive_parts, tmp_path, limit_memory, make):
    secret, weights = tmp_path / "secret", tmp_path / "weights.h5"
    secret.write_bytes(np.full(9, 42, np.float32).tobytes())
    weights.write_bytes(archive_parts["model.weights.h5"])
    with h5py.File(weights, "a") as file:
        path = next(name for name in _datasets(file) if file[name].shape == (3, 3))
        del file[path]
        make(file, path, secret)
    root.publish({**archive_parts, "model.weights.h5": weights.read_bytes()})
    with limit_memory(100):
        assert "model.keras" in root.last_rejection()


def _datasets(file):
    names = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return names
