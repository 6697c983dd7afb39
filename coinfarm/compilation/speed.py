"""Measures the throughput of engines."""

from collections.abc import Sequence
from time import perf_counter

from coinfarm.engines.engine import Engine, takes_rows
from image_render.render import Frames
from image_render.rows import Rows, rows_of_frames

_BATCH_FRAMES = 100
_TIMED_FRAMES = 500
_ROUNDS = 5


def frames_per_s(engines: Sequence[Engine], frames: Frames) -> list[float]:
    """Frames per second of each engine in batches of 100: the best of several alternating rounds, so that other load affects all alike."""
    frames = frames[:_TIMED_FRAMES]
    rows = rows_of_frames(frames)
    best_s = [float("inf")] * len(engines)
    for _ in range(_ROUNDS):
        for at, engine in enumerate(engines):
            started = perf_counter()
            for first in range(0, len(frames), _BATCH_FRAMES):
                _predict(engine, frames, rows, slice(first, first + _BATCH_FRAMES))
            best_s[at] = min(best_s[at], perf_counter() - started)
    return [round(len(frames) / seconds, 1) for seconds in best_s]


def _predict(engine: Engine, frames: Frames, rows: Rows | None, part: slice) -> None:
    """The part of the frames, as the engine prefers them."""
    if rows is not None and takes_rows(engine):
        engine.start_rows(rows[part])()
    else:
        engine.predict(frames[part])
