"""Keras' backends on a device: how JAX and TensorFlow compile, place arrays and report memory."""

import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from coinfarm.engines.startup_logs import suppress_startup_logs
from coinfarm.errors import ModelError

DeviceKind = Literal["gpu", "cpu"]
Forward = Callable[[list[Callable[[Any], Any]], Any], Any]
"""Maps the networks, each a function of frames, and a batch to the outputs."""
_BACKENDS = ("jax", "tensorflow")
_BACKEND_VARIABLE = "KERAS_BACKEND"


class Device(Protocol):
    """A device and its backend."""

    @property
    def description(self) -> str:
        """Backend and device, for display."""
        ...

    @property
    def has_fast_bfloat16(self) -> bool:
        """False for NVIDIA GPUs before Ampere, such as a T4, which are fast only in float16."""
        ...

    def memory(self) -> tuple[int, int] | None:
        """The peak bytes in use so far and the limit; None if the backend does not report them."""
        ...

    def compile(self, forward: Forward, networks: list[Any]) -> Callable[[NDArray[np.uint8]], Any]:
        """`forward` over the networks as a function of a batch, compiled at the first call per batch shape. It returns asynchronously."""
        ...


def select_gpu_backend() -> str | None:
    """Set and return the backend, JAX or else TensorFlow, that is installed and sees a GPU; None if there is none.

    Keras reads `KERAS_BACKEND` at its first import. If the variable is already set or Keras is already imported, only that backend is
    considered.
    """
    chosen = sys.modules["keras"].backend.backend() if "keras" in sys.modules else os.environ.get(_BACKEND_VARIABLE)
    with suppress_startup_logs():
        for backend in _BACKENDS if chosen is None else (chosen,):
            if find_spec(backend) is not None and _sees_gpu(backend):
                os.environ[_BACKEND_VARIABLE] = backend
                return backend
    return None


def open_device(kind: DeviceKind) -> Device:
    """The first device of this kind in Keras' backend. Raises `ModelError` if there is none."""
    import keras

    backend = keras.backend.backend()
    if backend not in _BACKENDS:
        raise ModelError(f"KERAS_BACKEND={backend} is not supported: set it to jax or tensorflow")
    if kind == "gpu" and not _sees_gpu(backend):
        raise ModelError(f"Keras runs on {backend}, which sees no GPU")
    return _JaxDevice(kind) if backend == "jax" else _TensorFlowDevice(kind)


def _sees_gpu(backend: str) -> bool:
    if backend == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.list_physical_devices("GPU"))
    if backend != "jax":
        return False
    import jax

    try:
        return bool(jax.local_devices(backend="gpu"))
    except RuntimeError:  # JAX raises it if there is none
        return False


class _JaxDevice:
    def __init__(self, kind: DeviceKind) -> None:
        import jax

        self._device = jax.local_devices(backend=kind)[0]
        self.description = f"JAX {jax.__version__} on {self._device.device_kind}"

    @property
    def has_fast_bfloat16(self) -> bool:
        capability = getattr(self._device, "compute_capability", None)
        return capability is None or float(capability) >= 8

    def memory(self) -> tuple[int, int] | None:
        counts = self._device.memory_stats()
        return (counts["peak_bytes_in_use"], counts["bytes_limit"]) if counts else None

    def compile(self, forward: Forward, networks: list[Any]) -> Callable[[NDArray[np.uint8]], Any]:
        import jax

        # Passed as arguments: values that a compiled function closes over are copied into it as constants.
        states = jax.device_put([_jax_state(network) for network in networks], self._device)

        @jax.jit
        def run(states: list[Any], batch: Any) -> Any:
            callables = [_jax_callable(network, state) for network, state in zip(networks, states, strict=True)]
            return forward(callables, batch)

        return lambda batch: run(states, jax.device_put(batch, self._device))


def _jax_state(network: Any) -> tuple[list[Any], list[Any]]:
    return [each.value for each in network.trainable_variables], [each.value for each in network.non_trainable_variables]


def _jax_callable(network: Any, state: tuple[list[Any], list[Any]]) -> Callable[[Any], Any]:
    return lambda frames: network.stateless_call(*state, frames, training=False)[0]


class _TensorFlowDevice:
    def __init__(self, kind: DeviceKind) -> None:
        import tensorflow as tf

        self._kind = kind
        self._device_name = f"/{kind.upper()}:0"
        details = tf.config.experimental.get_device_details(tf.config.list_physical_devices(kind.upper())[0])
        self._capability = details.get("compute_capability")
        self.description = f"TensorFlow {tf.__version__} on {details.get('device_name', kind)}"

    @property
    def has_fast_bfloat16(self) -> bool:
        return self._capability is None or self._capability[0] >= 8

    def memory(self) -> tuple[int, int] | None:
        return None

    def compile(self, forward: Forward, networks: list[Any]) -> Callable[[NDArray[np.uint8]], Any]:
        import tensorflow as tf

        callables = [_tensorflow_callable(network) for network in networks]
        # XLA fuses rendering and the first layer; on a CPU its convolutions are slower than oneDNN's.
        run = tf.function(lambda batch: forward(callables, batch), jit_compile=self._kind == "gpu", autograph=False)

        def run_on_device(batch: NDArray[np.uint8]) -> Any:
            with tf.device(self._device_name):
                return run(tf.constant(batch))

        return run_on_device


def _tensorflow_callable(network: Any) -> Callable[[Any], Any]:
    return lambda frames: network(frames, training=False)
