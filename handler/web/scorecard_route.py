"""`GET /scorecard`: the scores of the live store, as `coinfarm scorecard --json` prints them."""

import asyncio
import time

from coinfarm.live.live_store import LiveStore
from coinfarm.scorecard.scorecard import scorecard
from handler.server_routes import ServerRequest, ServerResponse

_KEPT_S = 60


class ScorecardRoute:
    """The route of one store. A document is kept for a minute, because no score changes faster than a candle closes."""

    def __init__(self, store: LiveStore) -> None:
        self._store = store
        self._lock = asyncio.Lock()
        self._kept: tuple[float, bytes] | None = None

    async def __call__(self, request: ServerRequest) -> ServerResponse:
        """The scorecard of the newest version of each exchange and interval. 404 before there are predictions."""
        async with self._lock:
            if self._kept is None or time.monotonic() - self._kept[0] > _KEPT_S:
                card = await asyncio.to_thread(scorecard, self._store, request.service.settings.model_uri)
                self._kept = time.monotonic(), card.model_dump_json(by_alias=True).encode()
            return ServerResponse(self._kept[1], headers={"cache-control": "no-store"})
