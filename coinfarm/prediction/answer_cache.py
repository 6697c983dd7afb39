"""The answers given lately: a chart asked for again, or one minute later, is mostly frames already seen."""

import hashlib
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from image_render.draw import Frames, as_planes

Key = tuple[str, bytes]


class AnswerCache:
    """Raw outputs of an engine by model version and frame; the least recently used go first. Not shared between threads."""

    def __init__(self, max_frames: int) -> None:
        self._max_frames = max_frames
        self._answers: OrderedDict[Key, NDArray[np.float32]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def keys(self, version: str, frames: Frames) -> list[Key]:
        """The key of each frame `(200, 150, 3)` of `frames` under one version of a model."""
        packed = np.packbits(as_planes(frames).reshape(len(frames), -1), axis=1)
        return [(version, hashlib.blake2b(frame, digest_size=16).digest()) for frame in packed]

    def get(self, key: Key) -> NDArray[np.float32] | None:
        """The outputs `(outputs,)`, or None."""
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def put(self, key: Key, answer: NDArray[np.float32]) -> None:
        """Remember the outputs `(outputs,)`."""
        self._answers[key] = answer.copy()  # a view would keep the whole batch alive
        self._answers.move_to_end(key)
        while len(self._answers) > self._max_frames:
            self._answers.popitem(last=False)
