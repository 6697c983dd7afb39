"""The Keras files of a bundle, loaded: what every engine that runs Keras begins with."""

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coinfarm.errors import ModelError
from coinfarm.models.manifest import MAX_MODEL_BYTES
from image_render.spec import STANDARD

if TYPE_CHECKING:
    from coinfarm.models.bundle import Bundle
    from coinfarm.models.manifest import Member

_WEIGHTS = "model.weights.h5"
_MAX_BYTES = {"metadata.json": 1 << 16, "config.json": 1 << 24, _WEIGHTS: MAX_MODEL_BYTES}
"""What a network's archive holds, and how large each may be unpacked; assets are of layers that frames have no use for."""
_SHOWN = 300


def load_networks(bundle: "Bundle") -> list[Any]:
    """The network of every member, in float32, as it was saved. No code from a file is run, no loss is compiled.

    Raises `ModelError` for a file that Keras refuses, and for inputs or outputs that the manifest does not have.
    """
    members = bundle.manifest.members
    networks = [_load(bundle, member.file) for member in members]
    for network, member in zip(networks, members, strict=True):
        _check(network, member)
    return networks


def _load(bundle: "Bundle", file: str) -> Any:
    import keras

    try:
        _check_archive(bundle.folder / file)
        return keras.saving.load_model(bundle.folder / file, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises nearly anything for a file that is no model, or one that would run code
        raise ModelError(f"{file} of model {bundle.manifest.version} cannot be loaded: {_ends_of(str(error))}") from error


def _check_archive(path: Path) -> None:
    """Raises `ValueError` for an archive that holds anything else, or unpacks to more, than a network needs: Keras unpacks gigabytes."""
    import h5py  # type: ignore[import-untyped]

    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        for member in members:
            if member.file_size > _MAX_BYTES.get(member.filename, -1):
                raise ValueError(f"{member.filename} of {member.file_size:,} bytes is not what a network's archive holds")
        if len({member.filename for member in members}) != len(members):
            raise ValueError("a file is twice in the archive")
        weights = io.BytesIO(archive.read(_WEIGHTS))
    sizes: list[int] = []
    with h5py.File(weights) as file:
        file.visititems(lambda _, item: sizes.append(getattr(item, "nbytes", 0)))
    if sum(sizes) > MAX_MODEL_BYTES:
        raise ValueError(f"{_WEIGHTS} unpacks to {sum(sizes):,} bytes; {MAX_MODEL_BYTES:,} are the most")


def _ends_of(text: str) -> str:
    """Keras' errors repeat the config, and tell the cause at their end."""
    return text if len(text) <= 2 * _SHOWN else f"{text[:_SHOWN]} … {text[-_SHOWN:]}"


def _check(network: Any, member: "Member") -> None:
    shapes = [tuple(tensor.shape) for tensor in network.inputs]
    if shapes != [(None, *STANDARD.shape)]:
        raise ModelError(f"{member.file} takes {shapes}, not frames of {(None, *STANDARD.shape)}")
    outputs = sum(int(np.prod(tensor.shape[1:])) for tensor in network.outputs)
    if outputs != len(member.outputs):
        raise ModelError(f"{member.file} has {outputs} outputs, its manifest says {len(member.outputs)}")
