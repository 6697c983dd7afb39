"""Chooses and loads the engine of a model."""

import logging
import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from coinfarm.engines.cores import engine_threads
from coinfarm.engines.engine import Engine
from coinfarm.engines.gpu_detection import has_gpu
from coinfarm.engines.processor import processor_flags, processor_name
from coinfarm.errors import ModelError
from coinfarm.extras import how_to_install

if TYPE_CHECKING:
    from coinfarm.models.bundle import Bundle
    from coinfarm.models.compiled_form import CompiledForm

EngineChoice = Literal["auto", "keras", "keras-gpu", "openvino-f32", "openvino-bf16", "openvino-int8", "openvino-int8-bf16"]

logger = logging.getLogger(__name__)

_HOW_TO_INSTALL_CUDA = "pip install 'coinfarm[gpu]' installs JAX with CUDA"  # make develop installs JAX for the CPU only


def load_engine(bundle: "Bundle", choice: EngineChoice, max_batch: int, threads: int | None = None) -> Engine:
    """The chosen engine. `auto` is Keras on a GPU if there is one, else the fastest compiled form of the bundle that this processor
    supports, else Keras. `threads` are those of the processor; by default as many as the cores that this process may use.

    Raises `ModelError` for a choice that the bundle or the machine does not support, and for a bundle that cannot be loaded.
    TensorFlow, JAX and OpenVINO are imported here, only when a model needs them.
    """
    if choice == "keras-gpu" or (choice == "auto" and has_gpu()):
        engine = _gpu_engine(bundle)
        if engine is not None:
            return engine
        if choice == "keras-gpu":
            raise ModelError(f"engine keras-gpu needs a GPU that JAX or TensorFlow can use: {_HOW_TO_INSTALL_CUDA}")
        logger.warning("The GPU is not used, because neither JAX nor TensorFlow can use it: %s", _HOW_TO_INSTALL_CUDA)
    form = choose_form(bundle, choice, processor_flags())
    if form is not None and find_spec("openvino") is None:  # it has no wheel for Lambda on arm64
        if choice != "auto":
            raise ModelError(f"engine {choice} needs OpenVINO, which is not installed: choose auto")
        form = None
    if form is None:
        if find_spec("keras") is None or find_spec("tensorflow") is None:
            raise ModelError(_missing_keras(bundle, choice))
        from coinfarm.engines.keras import KerasEngine

        _limit_tensorflow(engine_threads(threads))
        return KerasEngine(bundle, max_batch)
    from coinfarm.engines.openvino import openvino_engine

    return openvino_engine(bundle, form, max_batch, engine_threads(threads))


def _limit_tensorflow(threads: int | None) -> None:
    """TensorFlow reads these variables when it starts."""
    if threads is not None:
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
        os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")


def _missing_keras(bundle: "Bundle", choice: EngineChoice) -> str:
    version = bundle.manifest.version
    if choice == "keras":
        reason = "engine keras"
    elif bundle.manifest.engines.forms:
        reason = f"model {version} has no compiled form for this processor ({processor_name()}), so it"
    else:
        reason = f"model {version} has no compiled form, so it"
    return f"{reason} needs Keras and TensorFlow: {how_to_install('keras')}"


def _gpu_engine(bundle: "Bundle") -> Engine | None:
    from coinfarm.engines.backends import select_gpu_backend

    if select_gpu_backend() is None:
        return None
    from coinfarm.engines.keras_gpu import KerasGpuEngine

    return KerasGpuEngine(bundle)


def choose_form(bundle: "Bundle", choice: EngineChoice, flags: frozenset[str]) -> "CompiledForm | None":
    """The compiled form to load on a processor with these flags, or None to run the model with Keras."""
    forms = bundle.manifest.engines.forms  # the fastest first
    if choice == "auto":
        return next((form for form in forms if form.runs_on(flags)), None)
    if choice == "keras":
        return None
    name = choice.removeprefix("openvino-")
    form = next((form for form in forms if form.name == name), None)
    if form is None:
        available = ", ".join(["auto", "keras", *(f"openvino-{form.name}" for form in forms)])
        raise ModelError(f"engine {choice}: model {bundle.manifest.version} does not have this compiled form; available: {available}")
    if not form.runs_on(flags):
        needed = " and ".join(" or ".join(group) for group in form.needs)
        raise ModelError(f"engine {choice} needs a processor with {needed}, which {processor_name()} does not have: choose auto")
    return form
