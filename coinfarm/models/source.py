"""What a person gives to be published: a bundle's folder, or a Keras file."""

import shutil
from pathlib import Path
from typing import Literal

from coinfarm.errors import CoinfarmError
from coinfarm.models.bundle import Bundle
from coinfarm.models.manifest import MODEL_FILE, Output
from coinfarm.outputs import OUTPUT_NAMES


def open_source(source: Path, folder: Path, *, name: str | None, unit: Literal["percent", "window_range"]) -> Bundle:
    """The bundle in the folder `source`; or the file `source` sealed in the empty `folder` as a bundle of that name and unit.

    A bundle says its own name and units, so `name` and `unit` are of a file only. Raises `ModelError` for what is damaged, and
    `CoinfarmError` for a file that is no `.keras`.
    """
    if source.is_dir():
        return Bundle.open(source)
    if source.suffix != ".keras":
        raise CoinfarmError(
            f"{source} is neither a bundle's folder nor a .keras file: older formats can hide code; save the model as .keras"
        )
    shutil.copyfile(source, folder / MODEL_FILE)
    return Bundle.seal(folder, name=name or source.stem, outputs=tuple(Output(name=output, unit=unit) for output in OUTPUT_NAMES))
