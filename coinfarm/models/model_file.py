"""Recognises what a file or folder really is, whatever its name: a Keras archive, another kind of model, or no model at all."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from coinfarm.errors import ModelError, system_error_text
from coinfarm.models.network_config import CONFIG_FILE, WEIGHTS_FILE
from coinfarm.models.version import MANIFEST_FILE

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_ZIP_MAGIC = b"PK"
_HEAD_BYTES = 65_536

_REBUILD = "build the same network in Keras, copy its weights, and save it as .keras"
_DOWNLOAD = "download it again"
_IMPORT = "convert it with `coinfarm model import`"


class ModelKind(NamedTuple):
    """What a file or folder is, and, unless it is a Keras archive, what to do to publish it."""

    what: str
    remedy: str = ""


KERAS_ARCHIVE = ModelKind("a Keras archive (.keras)")
KERAS_HDF5 = ModelKind("a Keras model in HDF5 (.h5)", _IMPORT)
SAVED_MODEL = ModelKind("a TensorFlow SavedModel", _IMPORT)
BUNDLE = ModelKind("a model bundle")
_WEIGHTS_ONLY = ModelKind(
    "weights in HDF5 without their network",
    f"where the network's code is, `model.load_weights` them and `model.save('model.keras')`; the archive has a {CONFIG_FILE} too",
)
_NO_MANIFEST = "a folder without a manifest"
_UNKNOWN = ModelKind("no model that is known here", "save the model with `model.save('model.keras')`")


def kind_of(path: Path) -> ModelKind:
    """What a file or folder is, by its content. Raises `ModelError` if it cannot be read."""
    try:
        return _kind_of_folder(path) if path.is_dir() else _kind_of_file(path)
    except OSError as error:
        raise ModelError(system_error_text(error)) from error


def check_is_keras_archive(path: Path, where: str) -> None:
    """Raises `ModelError`, which says what the file at `where` is and what to do, unless it is an intact Keras archive."""
    kind = kind_of(path)
    if kind != KERAS_ARCHIVE:
        raise wrong_kind(where, kind)


def wrong_kind(where: str, kind: ModelKind) -> ModelError:
    """The error for a file or folder of another kind than the one that is needed."""
    return ModelError(f"{where} is {kind.what}: {kind.remedy or 'pass the .keras file itself'}")


def _kind_of_folder(folder: Path) -> ModelKind:
    names = {entry.name for entry in folder.iterdir()}
    if MANIFEST_FILE in names:
        return BUNDLE
    if "saved_model.pb" in names:
        return SAVED_MODEL
    if {CONFIG_FILE, WEIGHTS_FILE} <= names:
        return ModelKind("an unpacked Keras archive", f"pack it again: (cd {folder} && zip -r ../model.keras .)")
    if "current.json" in names or "versions" in names:
        return ModelKind("a model root", "pass the folder of one version in it, versions/VERSION")
    if any(name.endswith(".index") or name == "checkpoint" for name in names):
        return ModelKind("a checkpoint, weights without their network", "load it where the network's code is, and save the model as .keras")
    for archive in sorted(name for name in names if name.endswith(".keras")):
        return ModelKind(_NO_MANIFEST, f"pass a file in it, such as {folder / archive}")
    foreign = (kind for ending, kind in _BY_FILE_IN_FOLDER.items() if any(name.endswith(ending) for name in names))
    return next(foreign, ModelKind(_NO_MANIFEST, _UNKNOWN.remedy))


def _kind_of_file(path: Path) -> ModelKind:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.strip(b"\0"):
        return ModelKind("empty" if not head else "a file of zeros", f"{_DOWNLOAD}, or save it again")
    if head.startswith(_ZIP_MAGIC):
        return _kind_of_zip(path)
    if head.startswith(HDF5_MAGIC):
        return _kind_of_hdf5(path)
    return next((kind for is_kind, kind in _BY_HEAD if is_kind(head)), _UNKNOWN)


def _kind_of_zip(path: Path) -> ModelKind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            damaged = archive.testzip() if CONFIG_FILE in names else None
    except RuntimeError:  # encrypted, or compressed in a way that Python does not know
        return ModelKind("an encrypted zip archive", "unpack it with its password, and pack it again without one")
    except (zipfile.BadZipFile, EOFError, ValueError):
        return ModelKind("a zip archive that ends too early or is damaged", f"the download was cut off: {_DOWNLOAD} and compare its size")
    if damaged is not None:
        return ModelKind(f"a Keras archive whose {damaged} is damaged", _DOWNLOAD)
    if CONFIG_FILE in names:
        return KERAS_ARCHIVE if WEIGHTS_FILE in names else ModelKind("a Keras archive without weights", "save the model again")
    for ending, kind in _BY_MEMBER.items():
        if any(name.endswith(ending) for name in names):
            return kind
    return ModelKind("a zip archive of other files", _UNKNOWN.remedy)


def _kind_of_hdf5(path: Path) -> ModelKind:
    content = path.read_bytes()
    if b"model_config" in content:
        return KERAS_HDF5
    return (
        _WEIGHTS_ONLY if b"weight_names" in content or b"vars" in content else ModelKind("HDF5 data without a Keras model", _UNKNOWN.remedy)
    )


def _starts(*beginnings: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.lstrip().lower().startswith(beginnings)


_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!")
"""gzip, Zstandard, bzip2, xz, 7-Zip and RAR."""
_PYTORCH = ModelKind("a PyTorch model", _REBUILD)

_BY_MEMBER = {
    f"/{CONFIG_FILE}": ModelKind("a Keras archive that was packed again inside a folder", "pack its files without the folder around them"),
    ".keras": ModelKind("a zip archive that contains a .keras file", "unpack it, and pass that file"),
    "saved_model.pb": ModelKind("a zipped TensorFlow SavedModel", f"unpack it, and {_IMPORT}"),
    ".h5": ModelKind("a zip archive that contains an .h5 file", f"unpack it, and {_IMPORT}"),
    "data.pkl": _PYTORCH,
    ".npy": ModelKind("a NumPy archive (.npz)", "these are weights without their network: set them there, and save the model as .keras"),
}

_BY_FILE_IN_FOLDER = {
    ".safetensors": ModelKind("a folder of weights in safetensors, as of Hugging Face", _REBUILD),
    "pytorch_model.bin": ModelKind("a folder of a PyTorch model, as of Hugging Face", _REBUILD),
    "shard1of1.bin": ModelKind("a TensorFlow.js model", f"pass the Keras model that it was made from, or {_REBUILD}"),
    ".xml": ModelKind("a folder of an OpenVINO model", "pass the Keras model that it was made from"),
}

_BY_HEAD: tuple[tuple[Callable[[bytes], bool], ModelKind], ...] = (
    (_starts(b"version https://git-lfs"), ModelKind("a Git LFS pointer, not the file itself", "fetch the file with `git lfs pull`")),
    (
        _starts(b"<!doctype html", b"<html"),
        ModelKind("a web page, not the file itself", "download it with the link of its raw content, or log in first"),
    ),
    (
        _starts(b"<?xml", b"<net"),
        ModelKind("XML, such as OpenVINO's form of a model or an error of S3", "pass the Keras model that it was made from"),
    ),
    (
        _starts(b"{", b"["),
        ModelKind("JSON: the configuration of a model without weights, or an error of a server", "save the whole model as .keras"),
    ),
    (lambda head: head[8:10] == b'{"', ModelKind("weights in safetensors without their network", _REBUILD)),
    (lambda head: head[4:8] == b"TFL3", ModelKind("a TensorFlow Lite model", f"pass the Keras model that it was made from, or {_REBUILD}")),
    (
        lambda head: head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"),
        ModelKind("a pickle, as of joblib, scikit-learn or PyTorch, which could run code", f"it is never loaded: {_REBUILD}"),
    ),
    (_starts(b"gguf"), ModelKind("a language model (GGUF)", _REBUILD)),
    (lambda head: head[:1] == b"\x08" and head[1:2] != b"\x01" and head[2:3] in b"\x12:", ModelKind("an ONNX or Core ML model", _REBUILD)),
    (
        lambda head: head.startswith(_COMPRESSED) or head[257:262] == b"ustar",
        ModelKind("a compressed file or a tar archive", "unpack it, and pass the model in it"),
    ),
    (
        lambda head: b"saved_model" in head or head[:2] == b"\x08\x01" or head[:1] == b"\x0a",
        ModelKind("a TensorFlow graph (.pb)", f"if it is of a SavedModel, pass its folder: {_IMPORT}"),
    ),
)
