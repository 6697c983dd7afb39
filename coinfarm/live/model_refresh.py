"""Loads new versions of the model in the background, so that no prediction waits for one."""

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coinfarm.serving.service import Service

logger = logging.getLogger(__name__)


class ModelRefresh:
    """Checks for a new version twice as often as predictions would; with `MODEL_REFRESH_S=0` these check for themselves."""

    def __init__(self, service: "Service") -> None:
        self._service = service
        self._period_s = service.settings.model_refresh_s / 2
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="model-refresh", daemon=True)

    def __enter__(self) -> "ModelRefresh":
        if self._period_s:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._period_s):
            try:
                self._service.refresh()
            except Exception:  # the next attempt may succeed
                logger.exception("the model could not be refreshed")
