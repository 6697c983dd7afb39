"""Keeps the model in service in memory, and switches to a new version without interruption."""

import gc
import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from coinfarm.engines.engine import Engine
from coinfarm.errors import CoinfarmError, ModelError, StorageError
from coinfarm.models.bundle import Bundle
from coinfarm.models.cache import BundleCache
from coinfarm.models.model_source import CurrentVersion
from coinfarm.models.store import open_model_source
from image_render.spec import STANDARD

logger = logging.getLogger(__name__)

_WARM_UP_FRAMES = 5
"""An odd number above 1: an engine may run single frames and chunks of frames in different ways, and both must be warmed up."""


@dataclass(frozen=True)
class LoadedModel:
    """A loaded and warmed-up model; `load_ms` includes the download."""

    bundle: Bundle
    engine: Engine
    load_ms: float

    @property
    def version(self) -> str:
        return self.bundle.manifest.version


class Rejection(NamedTuple):
    """Why the `version` that the pointer names, None if the pointer cannot be read, does not serve; `serving` does instead."""

    version: str | None
    serving: str
    reason: str


class ModelManager:
    """Serves the version that the pointer names, and follows the pointer.

    The pointer is checked at most every `refresh_s` seconds, in the thread of one caller (Lambda runs nothing between invocations), while
    other callers use the current model. If the version that it names is missing, damaged or of another geometry, the current model
    stays in service, `rejection` says so, `on_rejection(rejection)` is called and an error is logged, at every refresh until a valid
    version is named.
    """

    def __init__(
        self,
        uri: str,
        load_engine: Callable[[Bundle], Engine],
        *,
        cache_dir: Path,
        refresh_s: float = 60,
        on_rejection: Callable[[Rejection], None] | None = None,
        clock: Callable[[], float] = time.time,  # wall time: a monotonic clock may stop while Lambda freezes the process
    ) -> None:
        """`uri` is a model root, the folder of one bundle or a `.keras` file; it is not accessed yet."""
        self._source = open_model_source(uri)
        self._cache = BundleCache(cache_dir)
        self._load_engine = load_engine
        self._refresh_s = refresh_s
        self._on_rejection = on_rejection
        self._clock = clock
        self._refresh_lock = threading.Lock()
        self._pin_lock = threading.Lock()
        self._checked_at = -math.inf
        self._pointer: CurrentVersion | None = None
        self._loaded: LoadedModel | None = None
        self._pinned: LoadedModel | None = None
        self._has_retired = False
        self.rejection: Rejection | None = None
        self._rejected: dict[str, str] = {}  # version → why it cannot be loaded; not downloaded again until the pointer changes

    @property
    def loaded_model(self) -> LoadedModel | None:
        """The model in service as it is now: nothing is loaded or checked."""
        return self._loaded

    def current_model(self) -> LoadedModel:
        """The model in service. Raises `ModelError` if there is none yet and the first cannot be loaded."""
        if self._loaded is None:
            with self._refresh_lock:  # there is no model yet, so all callers wait
                if self._loaded is None:
                    self._load_first()
        elif self._is_due() and self._refresh_lock.acquire(blocking=False):
            try:
                self._refresh(self._loaded.version)
            finally:
                self._refresh_lock.release()
        assert self._loaded is not None
        return self._loaded

    def refresh(self) -> None:
        """Check the pointer now, in a background thread; while a new version loads, `current_model` returns the old one elsewhere.

        Does nothing before the first model is loaded: the first request loads it and reports errors.
        """
        if self._loaded is not None:
            with self._refresh_lock:
                self._refresh(self._loaded.version)

    def pinned_model(self, version: str) -> LoadedModel:
        """A pinned version of the model. The last one is kept in memory, in addition to the model in service.

        Raises `NotFound` for an unknown version, another `StorageError`, and `ModelError` if the version cannot be loaded.
        """
        loaded = self._loaded
        if loaded is not None and loaded.version == version:
            return loaded
        with self._pin_lock:
            if self._pinned is not None and self._pinned.version != version:
                self._pinned = None
                gc.collect()  # Keras models contain reference cycles, and the next model needs the memory
            if self._pinned is None:
                self._pinned = self._load(version)
            return self._pinned

    def _is_due(self) -> bool:
        return abs(self._clock() - self._checked_at) >= self._refresh_s  # the clock may be set back

    def _load_first(self) -> None:
        try:
            self._follow_pointer()
        except CoinfarmError as error:
            raise ModelError(f"no model can be loaded from {self._source.uri}: {error}") from error

    def _refresh(self, loaded: str) -> None:
        if self._has_retired:
            gc.collect()  # again: when the model was replaced, other threads may still have used it
            self._has_retired = False
        try:
            self._follow_pointer()
            self.rejection = None
        except CoinfarmError as error:
            named = None if self._pointer is None or self._pointer.version == loaded else self._pointer.version
            logger.error("Model %s stays in service%s: %s", loaded, "" if named is None else f", {named} is rejected", error)
            self.rejection = Rejection(named, loaded, str(error))
            if self._on_rejection is not None:
                self._on_rejection(self.rejection)

    def _follow_pointer(self) -> None:
        try:
            changed = self._source.current_if_changed(None if self._pointer is None else self._pointer.etag)
            if changed is not None:
                self._pointer = changed
                self._rejected.clear()
            assert self._pointer is not None
            if self._loaded is None or self._loaded.version != self._pointer.version:
                replaces = self._loaded is not None
                self._loaded = self._load(self._pointer.version)
                logger.info("Model %s is in service, loaded in %.0f ms", self._loaded.version, self._loaded.load_ms)
                if replaces:
                    gc.collect()
                    self._has_retired = True
        finally:
            self._checked_at = self._clock()

    def _load(self, version: str) -> LoadedModel:
        if reason := self._rejected.get(version):
            raise ModelError(reason)
        started = time.perf_counter()
        try:
            bundle = self._cache.bundle(self._source, version)
            engine = self._load_engine(bundle)
            _warm_up(engine, bundle)
        except StorageError:
            raise  # may be temporary, so it is tried again
        except Exception as error:  # an engine may raise any error for a broken model
            reason = str(error) if isinstance(error, CoinfarmError) else f"model {version} cannot be loaded: {error!r}"
            self._rejected[version] = reason
            raise ModelError(reason) from error
        return LoadedModel(bundle, engine, load_ms=1000 * (time.perf_counter() - started))


def _warm_up(engine: Engine, bundle: Bundle) -> None:
    """Predict a batch, so that the first request is not slower than others."""
    outputs = engine.predict(np.zeros((_WARM_UP_FRAMES, *STANDARD.shape), np.uint8))
    expected = (_WARM_UP_FRAMES, len(bundle.manifest.outputs))
    if outputs.shape != expected or not np.isfinite(outputs).all():
        raise ModelError(
            f"model {bundle.manifest.version} predicts {outputs.tolist()} for empty frames instead of finite numbers of shape {expected}"
        )
