"""The devices for training: all GPUs, in mixed precision, or the CPU."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from coinfarm.engines.backends import open_device, select_gpu_backend
from coinfarm.engines.gpu_detection import has_gpu
from coinfarm.engines.processor import processor_flags

_FAST_BFLOAT16 = {"avx512_bf16", "amx_bf16"}


@dataclass(frozen=True)
class Devices:
    """`names` in Keras' format (`gpu:0`); each batch is divided among them. `policy` is Keras' dtype policy of the inner layers."""

    names: tuple[str, ...] = ("cpu:0",)
    policy: str = "float32"

    @classmethod
    def available(cls) -> "Devices":
        """Every GPU that Keras' backend sees, or the processor. Imports Keras if there is a GPU, and JAX if JAX sees one."""
        if not has_gpu() or select_gpu_backend() is None:
            return cls(policy="mixed_bfloat16" if _FAST_BFLOAT16 & processor_flags() else "float32")
        import keras

        names = tuple(keras.distribution.list_devices("gpu"))
        return cls(names, "mixed_bfloat16" if open_device("gpu").has_fast_bfloat16 else "mixed_float16")

    def __len__(self) -> int:
        return len(self.names)

    @property
    def are_processors(self) -> bool:
        return all(name.startswith("cpu") for name in self.names)

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Distribute the models that are built in this context, by `tf.distribute` on TensorFlow, by `keras.distribution` on JAX."""
        import keras

        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.policy)
        try:
            with _tensorflow(self.names) if keras.backend.backend() == "tensorflow" else _jax(self.names):
                yield
        finally:
            keras.config.set_dtype_policy(before)


@contextmanager
def _tensorflow(names: Sequence[str]) -> Iterator[None]:
    import tensorflow as tf

    if len(names) == 1:
        with tf.device(names[0]):
            yield
        return
    with tf.distribute.MirroredStrategy([f"/{name}" for name in names]).scope():
        yield


@contextmanager
def _jax(names: Sequence[str]) -> Iterator[None]:
    import keras

    before = keras.distribution.distribution()
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=list(names)))
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)
