"""The service: the model in memory, the prediction cache, and predictors that use both."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from coinfarm.engines.engine import Engine
from coinfarm.engines.loading import load_engine
from coinfarm.prediction.model_manager import LoadedModel, ModelManager, Rejection
from coinfarm.prediction.prediction_cache import PredictionCache
from coinfarm.prediction.predictor import Predictor
from coinfarm.serving.settings import Settings

if TYPE_CHECKING:
    from coinfarm.models.bundle import Bundle


class Service:
    """One per process, created from the settings; loads nothing until it is used."""

    def __init__(
        self,
        settings: Settings,
        *,
        on_load: Callable[[float], None] = lambda _: None,
        on_rejection: Callable[[Rejection], None] | None = None,
    ) -> None:
        """`on_load(load_ms)` is called for each version that is put into service, `on_rejection` for each that is rejected while an
        older one stays in service.
        """
        self.settings = settings
        self._on_load = on_load
        self._reported: LoadedModel | None = None
        self._prediction_cache = PredictionCache(settings.prediction_cache_frames) if settings.prediction_cache_frames else None
        self._models = ModelManager(
            settings.model_uri,
            self._load_engine,
            cache_dir=settings.model_cache_dir,
            refresh_s=settings.model_refresh_s,
            on_rejection=on_rejection,
        )

    def model(self, version: str | None = None) -> LoadedModel:
        """The model in service, or a pinned version. Raises `ModelError` and `StorageError`."""
        if version is not None:
            return self._models.pinned_model(version)
        model = self._models.current_model()
        if model is not self._reported:
            self._reported = model
            self._on_load(model.load_ms)
        return model

    @property
    def loaded_model(self) -> LoadedModel | None:
        """The model in service, without loading one or checking for a new one; None before the first is loaded."""
        return self._models.loaded_model

    @property
    def rejection(self) -> Rejection | None:
        """Why a newer version does not serve, as of the last refresh; None if the version in service is the right one."""
        return self._models.rejection

    def refresh(self) -> None:
        """Load a new version if there is one, while other threads use the old one."""
        self._models.refresh()

    def predictor(
        self,
        version: str | None = None,
        *,
        before_batch: Callable[[], None] = lambda: None,
        use_cache: bool = True,
        max_batch: int | None = None,
    ) -> Predictor:
        """A predictor for the model in service or a pinned version, with its own timings.

        `before_batch` is that of `Predictor`. A backfill predicts no frame twice, so it needs no cache. `max_batch` lowers the limit of the
        settings.
        """
        limit = self.settings.max_batch if max_batch is None else min(max_batch, self.settings.max_batch)
        return Predictor(self.model(version), limit, self._prediction_cache if use_cache else None, before_batch)

    def _load_engine(self, bundle: "Bundle") -> Engine:
        return load_engine(bundle, self.settings.engine, self.settings.max_batch, self.settings.engine_threads)
