"""Loads the Keras files of a bundle."""

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coinfarm.engines.float32 import in_float32
from coinfarm.errors import ModelError
from coinfarm.models.manifest import MAX_MODEL_BYTES
from image_render.spec import STANDARD

if TYPE_CHECKING:
    from coinfarm.models.bundle import Bundle
    from coinfarm.models.manifest import Member

_WEIGHTS = "model.weights.h5"
_MAX_BYTES = {"metadata.json": 1 << 16, "config.json": 1 << 24, _WEIGHTS: MAX_MODEL_BYTES}
"""The files of a `.keras` archive and their maximum unpacked sizes. Only layers that do not process images have assets."""
_SHOWN_CHARACTERS = 300


def load_networks(bundle: "Bundle") -> list[Any]:
    """The network of every member, in float32. No code from a file is run, and no loss is compiled.

    Raises `ModelError` for a file that Keras cannot load, and for inputs or outputs that differ from the manifest.
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
        network = keras.saving.load_model(bundle.folder / file, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many types of errors for invalid files and for files that would run code
        raise ModelError(f"{file} of model {bundle.manifest.version} cannot be loaded: {_abbreviate_middle(str(error))}") from error
    return in_float32(network)


def _check_archive(path: Path) -> None:
    """Raise `ValueError` for unexpected, duplicate or too large members: Keras itself would unpack gigabytes."""
    import h5py  # type: ignore[import-untyped]

    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        for member in members:
            if member.file_size > _MAX_BYTES.get(member.filename, -1):
                raise ValueError(f"{member.filename} of {member.file_size:,} bytes is not allowed in a .keras archive")
        if len({member.filename for member in members}) != len(members):
            raise ValueError("the archive has a duplicate file")
        weights = io.BytesIO(archive.read(_WEIGHTS))
    sizes: list[int] = []
    with h5py.File(weights) as file:
        file.visititems(lambda _, item: sizes.append(getattr(item, "nbytes", 0)))
    if sum(sizes) > MAX_MODEL_BYTES:
        raise ValueError(f"{_WEIGHTS} unpacks to {sum(sizes):,} bytes; at most {MAX_MODEL_BYTES:,} are allowed")


def _abbreviate_middle(text: str) -> str:
    """Keep the beginning and end of a long text: Keras' errors repeat the config, and name the cause at the end."""
    return text if len(text) <= 2 * _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]} … {text[-_SHOWN_CHARACTERS:]}"


def _check(network: Any, member: "Member") -> None:
    shapes = [tuple(tensor.shape) for tensor in network.inputs]
    if shapes != [(None, *STANDARD.shape)]:
        raise ModelError(f"{member.file} has inputs {shapes} instead of frames {(None, *STANDARD.shape)}")
    outputs = sum(int(np.prod(tensor.shape[1:])) for tensor in network.outputs)
    if outputs != len(member.outputs):
        raise ModelError(f"{member.file} has {outputs} outputs, but the manifest lists {len(member.outputs)}")
