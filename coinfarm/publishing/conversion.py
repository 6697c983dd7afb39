"""Converts a model of Keras 2, or in HDF5 or a SavedModel, to a Keras archive: builds the network anew, and copies its weights.

No code from the file is run: no Lambda, no custom class, no graph of a SavedModel.
"""

import json
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from coinfarm.errors import CoinfarmError
from coinfarm.models.model_file import KERAS_HDF5, SAVED_MODEL, kind_of
from coinfarm.models.network_config import CONFIG_FILE, NetworkConfig, objects_of, parse_network_config, read_network_config
from coinfarm.publishing.legacy_config import upgraded
from coinfarm.publishing.legacy_hard_sigmoid import rescale_hard_sigmoids
from coinfarm.publishing.legacy_layers import NETWORKS
from coinfarm.publishing.saved_model import read_saved_config, restore_saved_weights

_STORED_CALLS = ("TensorFlowOpLayer", "ClassMethod", "InstanceMethod", "InstanceProperty")
"""How Keras 2 stored steps between layers that are neither layers nor functions of TensorFlow."""


def convert(source: Path, target: Path) -> None:
    """Write the Keras archive `target`. Raises `CoinfarmError` with the reason if that is impossible, or would need code."""
    try:
        _convert(source, target)
    except CoinfarmError:
        raise
    except Exception as error:  # Keras raises many types of errors for networks that it cannot build
        raise CoinfarmError(" ".join(str(error).split())[:500] or repr(error)) from error


def _convert(source: Path, target: Path) -> None:
    kind = kind_of(source)
    if kind == KERAS_HDF5:
        _convert_hdf5(source, target)
    elif kind == SAVED_MODEL:
        network = _built(read_saved_config(source))
        restore_saved_weights(source, network)
        rescale_hard_sigmoids(network)  # Keras 3 writes no configuration into a SavedModel
        network.save(target)
    else:
        _convert_archive(source, target)


def _convert_hdf5(source: Path, target: Path) -> None:
    import h5py

    with h5py.File(source) as file:
        config = json.loads(file.attrs["model_config"])
        version = file.attrs.get("keras_version", "2")
        stored = [_text(name) for name in file["model_weights"].attrs["layer_names"]]
        stored = [name.replace("/", "_") for name in stored if len(file["model_weights"][name].attrs["weight_names"])]
    network = _built(config)
    expected = [layer.name for layer in network.layers if layer.weights]
    if stored != expected:
        raise CoinfarmError(f"its weights are of the layers {', '.join(stored)}, but its network has {', '.join(expected)}")
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder, "weights.h5")  # Keras goes by the name
        shutil.copyfile(source, weights)
        network.load_weights(weights)
    if not version.startswith("3"):
        rescale_hard_sigmoids(network)
    network.save(target)


def _convert_archive(source: Path, target: Path) -> None:
    import keras

    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "upgraded.keras")
        with zipfile.ZipFile(source) as old, zipfile.ZipFile(archive, "w") as new:
            config = json.loads(old.read(CONFIG_FILE))
            config.pop("compile_config", None)  # the optimizer and the loss, which are not needed
            new.writestr(CONFIG_FILE, json.dumps(_upgraded(config)))
            for name in old.namelist():
                if name != CONFIG_FILE:
                    new.writestr(name, old.read(name))
        network = keras.saving.load_model(archive, compile=False, safe_mode=True)
    if read_network_config(source).keras_version.startswith("2"):
        rescale_hard_sigmoids(network)
    network.save(target)


def _built(config: dict[str, Any]) -> Any:
    """The network of a configuration, without its weights."""
    import keras

    if config["class_name"] not in NETWORKS:
        raise CoinfarmError(f"its class {config['class_name']} is not one of Keras, and may do more than its layers")
    kind = keras.Sequential if config["class_name"] == "Sequential" else keras.Model
    network = kind.from_config(_upgraded(config)["config"])
    if not network.built:
        raise CoinfarmError("it does not say what shape its input has")
    return network


def _upgraded(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration for Keras 3, of which every class is Keras' own."""
    import keras

    _check_has_no_code(config)
    found: dict[str, Any] = upgraded(config)
    for each in objects_of(found):
        if each.get("module") == "keras.layers" and not hasattr(keras.layers, each["class_name"]):
            raise CoinfarmError(f"its class {each['class_name']} is not one of Keras 3")
    return found


def _check_has_no_code(config: dict[str, Any]) -> None:
    found: NetworkConfig = parse_network_config(config)
    if found.layers_of_code:
        raise CoinfarmError(f"its layer {found.layers_of_code[0]} contains code (a Lambda, a lambda or a SavedModel), which is never run")
    operations = [each["config"]["name"] for each in objects_of(config) if each["class_name"] in _STORED_CALLS]
    if operations:
        raise CoinfarmError(f"its step {operations[0]} is TensorFlow's, in a form that cannot be translated to Keras 3")
    if found.custom_classes:
        raise CoinfarmError(f"its class {found.custom_classes[0]} is not one of Keras")


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name
