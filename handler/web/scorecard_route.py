"""`GET /scorecard`: the scores of the live store, as `coinfarm scorecard --days 30 --json` prints them."""

import asyncio
import time
from typing import Annotated

from pydantic import Field

from coinfarm.live.live_store import LiveStore
from coinfarm.scorecard import SERVED_DAYS
from coinfarm.scorecard.scorecard import ScorecardSpec, scorecard
from coinfarm.serving.request import ApiRequest, parse_request
from handler.server_routes import ServerRequest, ServerResponse

_KEPT_S = 60


class _ScorecardQuery(ApiRequest):
    days: Annotated[int, Field(ge=1, le=3650)] = SERVED_DAYS


class ScorecardRoute:
    """The route of one store. A document is kept for a minute, because no score changes faster than a candle closes."""

    def __init__(self, store: LiveStore) -> None:
        self._store = store
        self._lock = asyncio.Lock()
        self._kept: dict[int, tuple[float, bytes]] = {}

    async def __call__(self, request: ServerRequest) -> ServerResponse:
        """The scorecard of the newest version of each exchange and interval. 404 before there are predictions."""
        days = parse_request(_ScorecardQuery, dict(request.query)).days
        async with self._lock:
            self._kept = {key: kept for key, kept in self._kept.items() if time.monotonic() - kept[0] <= _KEPT_S}
            if days not in self._kept:
                card = await asyncio.to_thread(scorecard, self._store, request.service.settings.model_uri, ScorecardSpec(days=days))
                self._kept[days] = time.monotonic(), card.model_dump_json(by_alias=True).encode()
            return ServerResponse(self._kept[days][1], headers={"cache-control": "no-store"})
