"""What keeps the model that serves in memory, and takes up a new version while it serves."""

import gc
import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coinfarm.engines.engine import Engine
from coinfarm.errors import CoinfarmError, ModelError, StorageError
from coinfarm.models.bundle import Bundle
from coinfarm.models.cache import BundleCache
from coinfarm.models.store import CurrentVersion, open_model_source
from image_render.spec import STANDARD

logger = logging.getLogger(__name__)

_WARM_UP_FRAMES = 5
"""Several, and an odd one: an engine may run a frame alone otherwise than a few together, and both ways shall be warm."""


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory, warmed up; `load_ms` is what that took, the download included."""

    bundle: Bundle
    engine: Engine
    load_ms: float

    @property
    def version(self) -> str:
        return self.bundle.manifest.version


class ModelManager:
    """Serves the version that the pointer names, and follows the pointer.

    The pointer is asked about at most every `refresh_s` seconds, in the thread of one caller (Lambda gives no time between
    invocations) while the others go on with the model that serves. If the version that it names is missing, damaged or of another
    geometry, that model goes on serving, `on_refusal(reason)` is called and an error logged, at every refresh until the two agree.
    """

    def __init__(
        self,
        uri: str,
        load_engine: Callable[[Bundle], Engine],
        *,
        cache_dir: Path,
        refresh_s: float = 60,
        on_refusal: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.time,  # wall time: a monotonic clock may stand still while Lambda freezes the process
    ) -> None:
        """`uri` is a model root, or a `.keras` file; nothing is asked of it yet."""
        self._source = open_model_source(uri)
        self._cache = BundleCache(cache_dir)
        self._load_engine = load_engine
        self._refresh_s = refresh_s
        self._on_refusal = on_refusal
        self._clock = clock
        self._refreshing = threading.Lock()
        self._pinning = threading.Lock()
        self._asked_at = -math.inf
        self._current: CurrentVersion | None = None
        self._serving: LoadedModel | None = None
        self._pinned: LoadedModel | None = None
        self._has_retired = False
        self._refused: dict[str, str] = {}  # version → why it cannot serve; not downloaded again until the pointer moves

    def serving(self) -> LoadedModel:
        """The model that serves now. Raises `ModelError` if there is none yet, and the first cannot be loaded."""
        if self._serving is None:
            with self._refreshing:  # nobody has anything to go on with, so all wait
                if self._serving is None:
                    self._load_first()
        elif self._is_due() and self._refreshing.acquire(blocking=False):
            try:
                self._refresh(self._serving.version)
            finally:
                self._refreshing.release()
        assert self._serving is not None
        return self._serving

    def refresh(self) -> None:
        """Ask about the pointer now, for a thread that has the time; while it loads, `serving` lets others go on with the old version.

        Where none serves yet, nothing happens: the first request loads it, and tells what is wrong.
        """
        if self._serving is not None:
            with self._refreshing:
                self._refresh(self._serving.version)

    def version(self, version: str) -> LoadedModel:
        """The model of a request that pins its version. One beside that which serves is kept in memory, the last one asked for.

        Raises `NotFound` if there is no such version, another `StorageError`, and `ModelError` if it cannot serve.
        """
        serving = self._serving
        if serving is not None and serving.version == version:
            return serving
        with self._pinning:
            if self._pinned is not None and self._pinned.version != version:
                self._pinned = None
                gc.collect()  # a Keras model is full of reference cycles, and the next one needs its memory
            if self._pinned is None:
                self._pinned = self._load(version)
            return self._pinned

    def _is_due(self) -> bool:
        return abs(self._clock() - self._asked_at) >= self._refresh_s  # a wall clock may be set back

    def _load_first(self) -> None:
        try:
            self._follow_pointer()
        except CoinfarmError as error:
            raise ModelError(f"no model of {self._source.uri} can serve: {error}") from error

    def _refresh(self, serving: str) -> None:
        if self._has_retired:
            gc.collect()  # once more: when it was replaced, other threads may still have been at work with it
            self._has_retired = False
        try:
            self._follow_pointer()
        except CoinfarmError as error:
            logger.error("Model %s goes on serving: %s", serving, error)
            if self._on_refusal is not None:
                self._on_refusal(str(error))

    def _follow_pointer(self) -> None:
        try:
            changed = self._source.current_if_changed(None if self._current is None else self._current.etag)
            if changed is not None:
                self._current = changed
                self._refused.clear()
            assert self._current is not None
            if self._serving is None or self._serving.version != self._current.version:
                replaces = self._serving is not None
                self._serving = self._load(self._current.version)
                logger.info("Model %s serves, loaded in %.0f ms", self._serving.version, self._serving.load_ms)
                if replaces:
                    gc.collect()
                    self._has_retired = True
        finally:
            self._asked_at = self._clock()

    def _load(self, version: str) -> LoadedModel:
        if reason := self._refused.get(version):
            raise ModelError(reason)
        started = time.perf_counter()
        try:
            bundle = self._cache.bundle(self._source, version)
            engine = self._load_engine(bundle)
            _warm_up(engine, bundle)
        except StorageError:
            raise  # may pass: it is tried again
        except Exception as error:  # an engine may raise anything for a model that is broken
            reason = str(error) if isinstance(error, CoinfarmError) else f"model {version} cannot be loaded: {error!r}"
            self._refused[version] = reason
            raise ModelError(reason) from error
        return LoadedModel(bundle, engine, load_ms=1000 * (time.perf_counter() - started))


def _warm_up(engine: Engine, bundle: Bundle) -> None:
    """A batch through all of it, so that the first request pays for nothing but itself."""
    answer = engine.predict(np.zeros((_WARM_UP_FRAMES, *STANDARD.shape), np.uint8))
    expected = (_WARM_UP_FRAMES, len(bundle.manifest.outputs))
    if answer.shape != expected or not np.isfinite(answer).all():
        raise ModelError(
            f"model {bundle.manifest.version} answers empty frames with {answer.tolist()}, not with finite numbers of shape {expected}"
        )
