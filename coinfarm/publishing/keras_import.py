"""Imports a model in an older format: converts it in a process of its own, or says what to run where its code is."""

import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from coinfarm.engines.startup_logs import suppress_startup_logs
from coinfarm.errors import CoinfarmError, ModelError
from coinfarm.models.model_file import KERAS_ARCHIVE, KERAS_HDF5, SAVED_MODEL, kind_of, wrong_kind
from coinfarm.publishing.conversion import convert
from coinfarm.storage.local_file import atomic_write

_TIMEOUT_S = 600


class NotConvertible(ModelError):
    """A model that cannot be converted safely; the message ends with the two lines to run where its code is."""


def import_model(source: Path, target: Path) -> None:
    """Convert `source`, an HDF5 file, a SavedModel or a Keras archive, to the Keras archive `target`, whole or not at all.

    Raises `NotConvertible`, and `ModelError` for a file of another kind.
    """
    kind = kind_of(source)
    if kind not in (KERAS_ARCHIVE, KERAS_HDF5, SAVED_MODEL):
        raise wrong_kind(str(source), kind)
    with tempfile.TemporaryDirectory() as folder:
        converted = Path(folder, "model.keras")
        reason = _run(source.absolute(), converted)
        if reason is not None:
            raise NotConvertible(f"{source} cannot be converted: {reason}. {_lines(source, target, is_saved_model=kind == SAVED_MODEL)}")
        with atomic_write(target) as temporary:
            temporary.write_bytes(converted.read_bytes())


def _run(source: Path, target: Path) -> str | None:
    """Why the conversion failed, None if it did not."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        try:
            return process.submit(_convert, source, target).result(_TIMEOUT_S)
        except (BrokenProcessPool, TimeoutError) as error:
            return str(error) or f"it took longer than {_TIMEOUT_S} s"


def _convert(source: Path, target: Path) -> str | None:
    """Why `convert` fails, None if it does not, in the process for it, without credentials in its environment."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {"CUDA_VISIBLE_DEVICES": "", "KERAS_BACKEND": "tensorflow"}
    with suppress_startup_logs():
        try:
            convert(source, target)
        except CoinfarmError as error:
            return str(error)
    return None


def _lines(source: Path, target: Path, *, is_saved_model: bool) -> str:
    """The two lines to run where the code of the network is."""
    weights = f"model.set_weights(keras.models.load_model({str(source)!r}).get_weights())"
    first = weights if is_saved_model else f"model.load_weights({str(source)!r})"
    return (
        "In the program that builds the network as `model`, with layers of Keras alone, run these two lines, and publish the result:\n"
        f"    {first}\n"
        f"    model.save({str(target)!r})"
    )
