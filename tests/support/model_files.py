"""Files and folders that people take for a model of ours: what each is recognised as, by its content alone."""

import gzip
import io
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from coinfarm.models.model_file import HDF5_MAGIC
from tests.support.keras_archives import write_keras_archive


@dataclass(frozen=True)
class ModelFile:
    """`build` writes it into an empty folder and returns its path; the message has all `words`, or, without, it is a Keras archive."""

    name: str
    build: Callable[[Path], Path]
    words: tuple[str, ...] = ()


def _file(name: str, content: bytes) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return build


def _zip(name: str, **members: bytes) -> Callable[[Path], Path]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member, content in members.items():
            archive.writestr(member.replace("__", "/").replace("_dot_", "."), content)
    return _file(name, buffer.getvalue())


def _folder(**files: bytes) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        for name, content in files.items():
            (folder / name.replace("_dot_", ".")).write_bytes(content)
        return folder

    return build


def _archive(folder: Path) -> bytes:
    return write_keras_archive(folder / "whole.keras").read_bytes()


def _truncated(folder: Path) -> Path:
    (folder / "model.keras").write_bytes(_archive(folder)[:-30])
    return folder / "model.keras"


def _flipped(folder: Path) -> Path:
    data = bytearray(_archive(folder))
    data[data.index(b"output_layers")] ^= 1
    (folder / "model.keras").write_bytes(data)
    return folder / "model.keras"


def _encrypted(folder: Path) -> Path:
    """With the flags of an encrypted member; Python cannot write one."""
    data = bytearray(_archive(folder))
    for magic, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + flags] |= 1
    (folder / "model.keras").write_bytes(data)
    return folder / "model.keras"


_H5 = HDF5_MAGIC + bytes(40)
_LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"

MODEL_FILES = (
    ModelFile(".keras", lambda folder: write_keras_archive(folder / "model.keras")),
    ModelFile(".keras named .h5", lambda folder: write_keras_archive(folder / "model.h5")),
    ModelFile("truncated download", _truncated, ("too early", "again")),
    ModelFile("damaged download", _flipped, ("config.json", "again")),
    ModelFile("Git LFS pointer", _file("model.keras", _LFS), ("git lfs pull",)),
    ModelFile("web page", _file("model.keras", b"\n<!DOCTYPE html><html>"), ("web page", "raw")),
    ModelFile("error of S3", _file("model.keras", b'<?xml version="1.0"?><Error>'), ("XML",)),
    ModelFile("error as JSON", _file("model.keras", b'{"message": "not found"}'), ("JSON",)),
    ModelFile("empty file", _file("model.keras", b""), ("empty",)),
    ModelFile("file of zeros", _file("model.keras", bytes(1000)), ("zeros",)),
    ModelFile(".h5", _file("model.h5", _H5 + b"model_config"), ("HDF5", "model import")),
    ModelFile(".h5 named .keras", _file("model.keras", _H5 + b"model_config"), ("HDF5", "model import")),
    ModelFile("weights in .h5", _file("model.weights.h5", _H5 + b"layer_names weight_names"), ("weights", "load_weights")),
    ModelFile("weights in .npz", _zip("weights.npz", arr_0_dot_npy=b"1"), ("weights",)),
    ModelFile("weights in safetensors", _file("model.safetensors", b"\x40" + bytes(7) + b'{"a": {}}'), ("safetensors",)),
    ModelFile("SavedModel", _folder(saved_model_dot_pb=b"\x08\x01"), ("SavedModel", "model import")),
    ModelFile("SavedModel, zipped", _zip("model.zip", model__saved_model_dot_pb=b"\x08\x01"), ("SavedModel", "unpack")),
    ModelFile("graph of a SavedModel", _file("saved_model.pb", b"\x08\x01\x12\x02"), ("folder",)),
    ModelFile("checkpoint", _folder(checkpoint=b"x", ckpt_dot_index=b"x"), ("checkpoint",)),
    ModelFile("unpacked .keras", _folder(config_dot_json=b"{}", model_dot_weights_dot_h5=_H5), ("unpacked", "zip")),
    ModelFile("packed again inside a folder", _zip("model.keras", model__config_dot_json=b"{}"), ("folder around",)),
    ModelFile(".keras in a zip", _zip("model.zip", model_dot_keras=b"PK"), ("unpack",)),
    ModelFile(".keras without weights", _zip("model.keras", config_dot_json=b"{}"), ("without weights",)),
    ModelFile("folder with a .keras", _folder(model_dot_keras=b"PK"), ("model.keras",)),
    ModelFile("empty folder", _folder(), ("manifest", "model.save")),
    ModelFile("model root", _folder(current_dot_json=b"{}"), ("model root", "VERSION")),
    ModelFile("encrypted archive", _encrypted, ("encrypted", "password")),
    ModelFile("folder of Hugging Face", _folder(config_dot_json=b"{}", model_dot_safetensors=b"x"), ("Hugging Face", "Keras")),
    ModelFile("folder of OpenVINO", _folder(model_dot_xml=b"<net>", model_dot_bin=b"x"), ("OpenVINO", "Keras")),
    ModelFile("TensorFlow.js", _folder(model_dot_json=b"{}", **{"group1-shard1of1_dot_bin": b"x"}), ("TensorFlow.js", "Keras")),
    ModelFile("language model", _file("model.gguf", b"GGUF\x03\x00"), ("GGUF", "Keras")),
    ModelFile("Core ML", _file("model.mlmodel", b"\x08\x04\x12\x9a\x01"), ("Core ML", "Keras")),
    ModelFile("ONNX without a producer", _file("model.onnx", b"\x08\x08:\xd2\x01"), ("ONNX", "Keras")),
    ModelFile("7-Zip", _file("model.7z", b"7z\xbc\xaf\x27\x1c"), ("unpack",)),
    ModelFile("candles in HDF5", _file("candles.h5", _H5 + b"weighted_price"), ("without a Keras model",)),
    ModelFile("ONNX", _file("model.onnx", b"\x08\x08\x12\x07pytorch"), ("ONNX", "Keras")),
    ModelFile("PyTorch", _zip("model.pt", model__data_dot_pkl=b"\x80\x02"), ("PyTorch", "Keras")),
    ModelFile("TensorFlow Lite", _file("model.tflite", b"\x1c\x00\x00\x00TFL3"), ("Lite", "Keras")),
    ModelFile("joblib or pickle", _file("model.joblib", pickle.dumps([1])), ("pickle", "never loaded")),
    ModelFile("gzip", _file("model.keras.gz", gzip.compress(b"PK")), ("unpack",)),
    ModelFile("other zip", _zip("data.zip", prices_dot_csv=b"1"), ("other files",)),
    ModelFile("text", _file("model.keras", b"hello"), ("model.save",)),
)
"""One entry per kind."""
