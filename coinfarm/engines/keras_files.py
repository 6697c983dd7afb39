"""Loads the Keras files of a bundle."""

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coinfarm.engines.float32 import in_float32
from coinfarm.engines.network_adapter import adapt
from coinfarm.engines.trusted_layers import missing_layers, trusted_layers
from coinfarm.errors import ModelError
from coinfarm.models.manifest import MAX_MODEL_BYTES
from coinfarm.models.model_file import check_is_keras_archive
from coinfarm.models.network_config import CONFIG_FILE, MAX_CONFIG_BYTES, WEIGHTS_FILE, read_network_config

if TYPE_CHECKING:
    from coinfarm.models.bundle import Bundle
    from coinfarm.models.manifest import Member, Output

_MAX_BYTES = {"metadata.json": 1 << 16, CONFIG_FILE: MAX_CONFIG_BYTES, WEIGHTS_FILE: MAX_MODEL_BYTES}
"""The files of a `.keras` archive and their maximum unpacked sizes. Only layers that do not process images have assets."""
_SHOWN_CHARACTERS = 300


def load_networks(bundle: "Bundle") -> list[Any]:
    """The network of every member, in float32, from frames `(N, 200, 150, 3)`. No code from a file is run, and no loss is compiled.

    Raises `ModelError` for a file that Keras cannot load, and for inputs or outputs that differ from the manifest.
    """
    outputs: dict[str, Output] = {output.name: output for output in bundle.manifest.outputs}
    return [_adapted(bundle, member, [outputs[name] for name in member.outputs]) for member in bundle.manifest.members]


def _adapted(bundle: "Bundle", member: "Member", outputs: "list[Output]") -> Any:
    path = bundle.folder / member.file
    check_is_keras_archive(path, f"{member.file} of model {bundle.manifest.version}")
    config = read_network_config(path)
    if config.layers_of_code:
        raise ModelError(
            f"{member.file} has code in its layer {config.layers_of_code[0]} (a Lambda, a lambda or a SavedModel), which is never run: "
            "build the network with layers of Keras instead, such as Rescaling, copy the weights, and save it again"
        )
    trusted = trusted_layers(config.custom_classes)
    try:
        _check_archive(path)
        return adapt(_load(path, trusted), member, outputs)
    except ModelError:
        raise
    except Exception as error:  # Keras raises many types of errors for invalid files and for files that would run code
        missing = [name for name in config.custom_classes if not any(name in known for known in trusted)]
        if config.keras_version.startswith("2."):
            reason = f"it was saved by Keras {config.keras_version}: convert it with `coinfarm model import`"
        elif not missing and _is_newer(config.keras_version):
            reason = (
                f"it was saved by Keras {config.keras_version}, which is newer than the one here: save it with that, or update coinfarm"
            )
        else:
            reason = missing_layers(missing) if missing else _abbreviate_middle(" ".join(str(error).split()))
        raise ModelError(f"{member.file} of model {bundle.manifest.version} cannot be loaded: {reason}") from error


def _load(path: Path, trusted: dict[str, Any]) -> Any:
    import keras

    with keras.saving.custom_object_scope(trusted):
        return in_float32(keras.saving.load_model(path, compile=False, safe_mode=True))


def _is_newer(version: str) -> bool:
    """Whether a version of Keras, such as 3.15.1, is newer than the one that is installed."""
    import keras

    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.split(".")[:2] if part.isdigit()]

    return numbers(version) > numbers(keras.__version__)


def _check_archive(path: Path) -> None:
    """Raise `ValueError` for unexpected, duplicate or too large members: Keras itself would unpack gigabytes."""
    import h5py

    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        for member in members:
            if member.file_size > _MAX_BYTES.get(member.filename, -1):
                raise ValueError(f"{member.filename} of {member.file_size:,} bytes is not allowed in a .keras archive")
        if len({member.filename for member in members}) != len(members):
            raise ValueError("the archive has a duplicate file")
        weights = io.BytesIO(archive.read(WEIGHTS_FILE))
    sizes: list[int] = []
    with h5py.File(weights) as file:
        file.visititems(lambda _, item: sizes.append(getattr(item, "nbytes", 0)))
    if sum(sizes) > MAX_MODEL_BYTES:
        raise ValueError(f"{WEIGHTS_FILE} unpacks to {sum(sizes):,} bytes; at most {MAX_MODEL_BYTES:,} are allowed")


def _abbreviate_middle(text: str) -> str:
    """Keep the beginning and end of a long text: Keras' errors repeat the config, and name the cause at the end."""
    return text if len(text) <= 2 * _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]} … {text[-_SHOWN_CHARACTERS:]}"
