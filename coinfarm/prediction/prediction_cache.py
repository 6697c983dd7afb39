"""Caches predictions by frame: consecutive requests share most of their frames."""

import hashlib
from collections import OrderedDict
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from coinfarm.prediction.frame_batch import EngineInputs
from image_render.render import as_planes

Key = tuple[str, bytes]


class PredictionCache:
    """An LRU cache of raw outputs by model version and frame."""

    def __init__(self, max_frames: int) -> None:
        self._max_frames = max_frames
        self._outputs: OrderedDict[Key, NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()

    def keys(self, version: str, inputs: EngineInputs) -> list[Key]:
        """The key of each of the frames `(N, 200, 150, 3)`, or of their rows `(N, 200, 5)`, for one model version."""
        is_frames = inputs.ndim == 4
        packed = np.packbits(as_planes(inputs).reshape(len(inputs), -1), axis=1) if is_frames else np.ascontiguousarray(inputs)
        return [(version, hashlib.blake2b(each, digest_size=16).digest()) for each in packed]

    def get(self, key: Key) -> NDArray[np.float32] | None:
        """The outputs `(outputs,)`, or None."""
        with self._lock:
            outputs = self._outputs.get(key)
            if outputs is not None:
                self._outputs.move_to_end(key)
            return outputs

    def put(self, key: Key, outputs: NDArray[np.float32]) -> None:
        """Store the outputs `(outputs,)`."""
        with self._lock:
            self._outputs[key] = outputs.copy()  # a view would keep the whole batch alive
            self._outputs.move_to_end(key)
            while len(self._outputs) > self._max_frames:
                self._outputs.popitem(last=False)
