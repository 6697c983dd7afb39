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
from coinfarm.models.network_config import CONFIG_FILE, NetworkConfig, parse_network_config
from coinfarm.publishing.legacy_config import upgraded
from coinfarm.publishing.saved_model import read_saved_config, restore_saved_weights

_KERAS_2_OPERATIONS = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer", "ClassMethod", "InstanceMethod", "InstanceProperty")


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
        network.save(target)
    else:
        _convert_archive(source, target)


def _convert_hdf5(source: Path, target: Path) -> None:
    import h5py

    with h5py.File(source) as file:
        config = json.loads(file.attrs["model_config"])
    network = _built(config)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder, "weights.h5")  # Keras goes by the name
        shutil.copyfile(source, weights)
        network.load_weights(weights)
    network.save(target)


def _convert_archive(source: Path, target: Path) -> None:
    import keras

    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "upgraded.keras")
        with zipfile.ZipFile(source) as old, zipfile.ZipFile(archive, "w") as new:
            config = json.loads(old.read(CONFIG_FILE))
            config.pop("compile_config", None)  # the optimizer and the loss, which are not needed
            _check_has_no_code(config)
            new.writestr(CONFIG_FILE, json.dumps(upgraded(config)))
            for name in old.namelist():
                if name != CONFIG_FILE:
                    new.writestr(name, old.read(name))
        keras.saving.load_model(archive, compile=False, safe_mode=True).save(target)


def _built(config: dict[str, Any]) -> Any:
    """The network of a configuration, without its weights."""
    import keras

    _check_has_no_code(config)
    kind = keras.Sequential if config["class_name"] == "Sequential" else keras.Model
    network = kind.from_config(upgraded(config)["config"])
    if not network.built:
        raise CoinfarmError("it does not say what shape its input has")
    return network


def _check_has_no_code(config: dict[str, Any]) -> None:
    found: NetworkConfig = parse_network_config(config)
    if found.lambdas:
        raise CoinfarmError(f"its Lambda layer {found.lambdas[0]} contains Python code, which is never run")
    operations = sorted({kind for kind in _KERAS_2_OPERATIONS if f'"class_name": "{kind}"' in json.dumps(config)})
    if operations:
        raise CoinfarmError(f"it calls TensorFlow's functions between its layers ({', '.join(operations)}), which Keras 3 cannot store")
    if found.custom_classes:
        raise CoinfarmError(f"its class {found.custom_classes[0]} is not one of Keras")
