"""Bundles whose model is a number in a text file, and an engine that predicts it."""

import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.models.bundle import Bundle
from coinfarm.models.manifest import Member, Output
from coinfarm.models.network_config import WEIGHTS_FILE
from coinfarm.models.promotion import promote
from coinfarm.models.publish import publish
from coinfarm.models.training_data import Split, TrainingData
from coinfarm.prediction.model_manager import ModelManager
from coinfarm.storage import Storage

TRAINING = TrainingData(
    symbols=("BTCUSD", "ETHUSD"),
    interval="1m",
    from_date=date(2018, 1, 1),
    to_date=date(2019, 1, 1),
    cutoff_ms={"BTCUSD": 1_546_300_800_000, "ETHUSD": 1_546_387_200_000},
    frames=500_000,
    splits={"train": Split(from_date=date(2018, 1, 1), to_date=date(2018, 10, 1), frames=380_000)},
)


class FakeEngine:
    """Predicts the number in `model.keras` for every frame; raises `ValueError` if it is not a number, as an engine may."""

    name = "fake"

    def __init__(self, bundle: Bundle) -> None:
        self.value = float(_content(bundle.folder / "model.keras"))
        self.itself = self  # a reference cycle, like those in Keras models

    def predict(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.full((len(frames), 3), self.value, np.float32)


def _content(path: Path) -> str:
    """The text of the file, or of the weights in an archive."""
    if not zipfile.is_zipfile(path):
        return path.read_text()
    with zipfile.ZipFile(path) as archive:
        return archive.read(WEIGHTS_FILE).decode()


def create_bundle(folder: Path, content: str = "1.0", **details: Any) -> Bundle:
    """A new bundle of what is in the folder and a model."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.keras").write_text(content)
    return Bundle.create(folder, name="fake", **details)


def members_bundle(folder: Path, models: dict[str, Any], order: tuple[Any, ...]) -> Bundle:
    """A bundle of one Keras model for each output, in the given order."""
    for name, model in models.items():
        model.save(folder / f"{name}.keras")
    members = tuple(Member(file=f"{name}.keras", outputs=(name,)) for name in order)
    return Bundle.create(folder, name="members", outputs=tuple(Output(name=name) for name in order), members=members)


def publish_model(storage: Storage, folder: Path, content: str, **details: Any) -> str:
    """Create and publish; returns the version."""
    return publish(storage, create_bundle(folder, content, **details))


def promote_model(storage: Storage, folder: Path, content: str, **details: Any) -> str:
    """Create, publish and promote; returns the version."""
    version = publish_model(storage, folder, content, **details)
    promote(storage, version)
    return version


def value_of(manager: ModelManager) -> float:
    """The number that the model in service predicts."""
    return float(manager.current_model().engine.predict(np.zeros((1, 200, 150, 3), np.uint8))[0, 0])
