"""What runs a model: one Protocol, and behind it Keras or a compiled form."""

import logging
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray

from coinfarm.engines.gpu import gpu_at_hand
from coinfarm.engines.processor import processor_flags, processor_name
from coinfarm.errors import ModelError
from coinfarm.extras import how_to_install

if TYPE_CHECKING:
    from coinfarm.models.bundle import Bundle
    from coinfarm.models.manifest import CompiledForm

EngineChoice = Literal["auto", "keras", "keras-gpu", "openvino-f32", "openvino-bf16", "openvino-int8", "openvino-int8-bf16"]

logger = logging.getLogger(__name__)

_NO_BACKEND = "neither JAX nor TensorFlow sees it here: pip install 'coinfarm[gpu]' brings a JAX that does"

Pending = Callable[[], NDArray[np.float32]]
"""Waits for what an engine is at work on; gives its raw outputs `(N, outputs)`, or raises. Until it has returned, the engine may read
what it was given: that must not be changed."""


class Engine(Protocol):
    """A loaded model. Thread-safe."""

    @property
    def name(self) -> str:
        """Which engine this is, and in which precision, as answers and metrics show it."""
        ...

    def predict(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Raw outputs `(N, outputs)`, in the manifest's order and units, of frames `(N, 200, 150, 3)`; any N."""
        ...


class StreamingEngine(Engine, Protocol):
    """An engine that can be at work while the next batch is drawn."""

    def start(self, frames: NDArray[np.uint8]) -> Pending:
        """Begin what `predict` does."""
        ...


class DrawingEngine(StreamingEngine, Protocol):
    """An engine that draws the frames itself, out of their row numbers, where its pixels are needed."""

    @property
    def batch_frames(self) -> int:
        """How many frames it wants at once."""
        ...

    def start_rows(self, rows: NDArray[np.uint8]) -> Pending:
        """Begin to draw and predict frames given as rows `(N, 200, 5)` (`image_render.rows.pack_rows`); any N."""
        ...


def is_streaming(engine: Engine) -> TypeGuard[StreamingEngine]:
    """Whether the engine can be at work meanwhile."""
    return hasattr(engine, "start")  # isinstance with a Protocol takes ten microseconds, and is asked of every request


def is_drawing(engine: Engine) -> TypeGuard[DrawingEngine]:
    """Whether the engine draws."""
    return hasattr(engine, "start_rows")


def load_engine(bundle: "Bundle", choice: EngineChoice, max_batch: int) -> Engine:
    """The engine of that name, or, for `auto`, Keras on a GPU, where there is one, or else the fastest form that the bundle has and this
    processor supports, or else Keras.

    Raises `ModelError` for a choice that the bundle or the machine rules out, and for a bundle that cannot be loaded.
    TensorFlow, JAX and OpenVINO are imported here, when a model first needs the one or the other, and not before.
    """
    if choice == "keras-gpu" or (choice == "auto" and gpu_at_hand()):
        engine = _gpu_engine(bundle)
        if engine is not None:
            return engine
        if choice == "keras-gpu":
            raise ModelError(f"ENGINE=keras-gpu needs a GPU, and {_NO_BACKEND}")
        logger.warning("There is a GPU, but %s", _NO_BACKEND)
    form = choose_form(bundle, choice, processor_flags())
    if form is not None and find_spec("openvino") is None:  # it has no wheel for Lambda on arm64
        if choice != "auto":
            raise ModelError(f"ENGINE={choice} needs OpenVINO, which is not installed here: let it be auto")
        form = None
    if form is None:
        if find_spec("keras") is None or find_spec("tensorflow") is None:
            raise ModelError(_no_keras(bundle, choice))
        from coinfarm.engines.keras import KerasEngine

        return KerasEngine(bundle, max_batch)
    from coinfarm.engines.openvino import OpenVinoEngine

    return OpenVinoEngine(bundle, form)


def _no_keras(bundle: "Bundle", choice: EngineChoice) -> str:
    version = bundle.manifest.version
    if choice == "keras":
        reason = "ENGINE=keras"
    elif bundle.manifest.engines.forms:
        reason = f"model {version} has no compiled form for this processor ({processor_name()}), so it"
    else:
        reason = f"model {version} has no compiled form, so it"
    return f"{reason} needs Keras and TensorFlow: {how_to_install('keras')}"


def _gpu_engine(bundle: "Bundle") -> Engine | None:
    from coinfarm.engines.backends import take_gpu_backend

    if take_gpu_backend() is None:
        return None
    from coinfarm.engines.keras_device import KerasDeviceEngine

    return KerasDeviceEngine(bundle)


def choose_form(bundle: "Bundle", choice: EngineChoice, flags: frozenset[str]) -> "CompiledForm | None":
    """The compiled form to load on a processor with those flags, or None where Keras shall run the model on it."""
    forms = bundle.manifest.engines.forms  # the fastest first
    if choice == "auto":
        return next((form for form in forms if form.runs_on(flags)), None)
    if choice == "keras":
        return None
    name = choice.removeprefix("openvino-")
    form = next((form for form in forms if form.name == name), None)
    if form is None:
        there = ", ".join(["auto", "keras", *(f"openvino-{form.name}" for form in forms)])
        raise ModelError(f"ENGINE={choice}, but model {bundle.manifest.version} was not published in that form: it has {there}")
    if not form.runs_on(flags):
        wanted = " and ".join(" or ".join(group) for group in form.needs)
        raise ModelError(f"ENGINE={choice} needs a processor with {wanted}, and this one ({processor_name()}) has not: let it be auto")
    return form
