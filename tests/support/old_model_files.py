"""Models in formats that `coinfarm model import` converts: tests/support/keras2 has networks that Keras 2.15 saved in some of them."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from coinfarm.errors import CoinfarmError
from coinfarm.publishing.conversion import convert
from tests.support.model_kinds import FRAME
from tests.support.repository import ROOT

KERAS_2 = ROOT / "tests/support/keras2"
FRAMES = np.random.RandomState(0).randint(0, 2, (2, *FRAME)).astype(np.float32)
PREDICTED_BY_KERAS_2 = [[36.355049, 29.064892, 28.249573], [36.302983, 29.02948, 28.221092]]
PREDICTED_BY_SEQUENTIAL = [[219.975693, 181.996613, 268.708496], [220.414291, 181.905426, 268.950043]]
PREDICTED_WITH_FUNCTIONS = [[0.07239947, 0.14771488, 0.36515799], [0.0759632, 0.14688882, 0.36104739]]
"""By a network of functions of TensorFlow, and of the layers that Keras 3 stores or computes in another way."""


@dataclass(frozen=True)
class OldModelFile:
    """`build` makes it in an empty folder with the module `keras`, and returns its path and what the network predicts for `FRAMES`."""

    name: str
    build: Callable[[Any, Path], tuple[Path, Any]]
    is_converted: bool = True


def conversion_outcome(keras: Any, entry: OldModelFile, folder: Path) -> str | None:
    """Why the file is not converted, None if it is. Raises `AssertionError` if the new file predicts something else."""
    path, expected = entry.build(keras, folder)
    try:
        convert(path, folder / "converted.keras")
    except CoinfarmError as error:
        return str(error)
    network = keras.saving.load_model(folder / "converted.keras", safe_mode=True)
    np.testing.assert_allclose(np.asarray(network(FRAMES, training=False)), expected, rtol=1e-4, atol=1e-6)
    return None


def saved_model_of_keras_2(folder: Path) -> Path:
    shutil.unpack_archive(KERAS_2 / "keras2_saved.zip", folder / "saved")
    return folder / "saved"


def _of_keras_2(name: str) -> Callable[[Any, Path], tuple[Path, Any]]:
    return lambda keras, folder: (KERAS_2 / name, PREDICTED_BY_KERAS_2)


def _unpacked(archive: str, name: str, predicted: list[list[float]]) -> Callable[[Any, Path], tuple[Path, Any]]:
    def build(keras: Any, folder: Path) -> tuple[Path, Any]:
        shutil.unpack_archive(KERAS_2 / archive, folder)
        return folder / name, predicted

    return build


def _with_functions(name: str) -> Callable[[Any, Path], tuple[Path, Any]]:
    return _unpacked("keras2_functions.zip", name, PREDICTED_WITH_FUNCTIONS)


def _sequential(name: str) -> Callable[[Any, Path], tuple[Path, Any]]:
    return _unpacked("keras2_sequential.zip", name, PREDICTED_BY_SEQUENTIAL)


def edited_h5(folder: Path, old: str, new: str) -> Path:
    """The file of the network with one function, with another text in its configuration."""
    import h5py

    path = Path(shutil.copy(KERAS_2 / "keras2_function.h5", folder))
    with h5py.File(path, "r+") as file:
        config = json.dumps(json.loads(file.attrs["model_config"]))
        assert old in config
        file.attrs["model_config"] = config.replace(old, new)
    return path


def _edited(old: str, new: str) -> Callable[[Any, Path], tuple[Path, Any]]:
    return lambda keras, folder: (edited_h5(folder, old, new), None)


def _of_keras_3(save: Callable[[Any, Path], object], name: str) -> Callable[[Any, Path], tuple[Path, Any]]:
    """A network that was trained for one batch, saved as `name`."""

    def build(keras: Any, folder: Path) -> tuple[Path, Any]:
        layers = keras.layers
        frame = keras.Input(FRAME)
        features = layers.BatchNormalization()(layers.Conv2D(4, 5, 5, activation="relu")(frame))
        model = keras.Model(frame, layers.Dense(3)(layers.GlobalAveragePooling2D()(features)))
        model.compile("adam", "mae")
        model.train_on_batch(FRAMES, np.ones((2, 3)))
        expected = np.asarray(model(FRAMES, training=False))
        save(model, folder / name)
        return folder / name, expected

    return build


OLD_MODEL_FILES = (
    OldModelFile(".h5 of Keras 2", _of_keras_2("keras2.h5")),
    OldModelFile(".keras of Keras 2", _of_keras_2("keras2.keras")),
    OldModelFile("SavedModel of Keras 2", lambda keras, folder: (saved_model_of_keras_2(folder), PREDICTED_BY_KERAS_2)),
    OldModelFile(".h5 of Keras 2 with functions of TensorFlow, attention and LSTM", _with_functions("keras2_functions.h5")),
    OldModelFile(".keras of Keras 2 with these", _with_functions("keras2_functions.keras")),
    OldModelFile("SavedModel of Keras 2 with these", _with_functions("keras2_functions_saved")),
    OldModelFile(".h5 of Keras 2, Sequential in Sequential", _sequential("keras2_sequential.h5")),
    OldModelFile(".keras of Keras 2, Sequential in Sequential", _sequential("keras2_sequential.keras")),
    OldModelFile(
        ".h5 of Keras 2 with a lambda as activation", _edited('"activation": "linear"', '"activation": "<lambda>"'), is_converted=False
    ),
    OldModelFile(
        ".h5 of Keras 2 of a class of its own", _edited('{"class_name": "Functional"', '{"class_name": "MyModel"'), is_converted=False
    ),
    OldModelFile(".h5 of Keras 2 with another function", _edited("math.multiply", "image.adjust_hue"), is_converted=False),
    OldModelFile(".h5 of Keras 2 with a layer that is gone", _edited('"Flatten"', '"ThresholdedReLU"'), is_converted=False),
    OldModelFile(".h5 of Keras 3, with the state of its optimizer", _of_keras_3(lambda model, path: model.save(path), "model.h5")),
    OldModelFile(".keras of Keras 3, with the state of its optimizer", _of_keras_3(lambda model, path: model.save(path), "model.keras")),
    OldModelFile(
        "SavedModel of Keras 3", _of_keras_3(lambda model, path: model.export(path, verbose=False), "exported"), is_converted=False
    ),
)
"""One entry per kind."""
