"""The Keras files of a bundle, loaded: what every engine that runs Keras begins with."""

from typing import TYPE_CHECKING, Any

import numpy as np

from coinfarm.errors import ModelError
from image_render.spec import STANDARD

if TYPE_CHECKING:
    from coinfarm.models.bundle import Bundle
    from coinfarm.models.manifest import Member


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
        return keras.saving.load_model(bundle.folder / file, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises nearly anything for a file that is no model, or one that would run code
        raise ModelError(f"{file} of model {bundle.manifest.version} cannot be loaded: {error}") from error


def _check(network: Any, member: "Member") -> None:
    shapes = [tuple(tensor.shape) for tensor in network.inputs]
    if shapes != [(None, *STANDARD.shape)]:
        raise ModelError(f"{member.file} takes {shapes}, not frames of {(None, *STANDARD.shape)}")
    outputs = sum(int(np.prod(tensor.shape[1:])) for tensor in network.outputs)
    if outputs != len(member.outputs):
        raise ModelError(f"{member.file} has {outputs} outputs, its manifest says {len(member.outputs)}")
