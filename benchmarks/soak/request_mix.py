"""The mix of requests that load a server, and the validation of its responses."""

import io
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.candles import Candles
from coinfarm.candles.json_rows import rows_from_candles
from coinfarm.outputs import OUTPUT_NAMES
from image_render.render import render_frames
from image_render.spec import STANDARD
from image_render.windows import Columns, window_range_pct, windows

BATCH_FRAMES = 100
NPZ_FRAMES = 8
_NPZ_FILES = 20
MIN_WINDOWS = 1_001
"""One more than the maximum of a request."""
_JSON, _NPZ, _PROBLEM = "application/json", "application/x-npz", "application/problem+json"
MAX_DIFFERENCE_PCT = 1e-4
"""The tolerance in percent of the price: batches may round differently. Predictions of other versions differ by about 0.01."""

SHARES = {"one frame": 65, "batch of 100 frames": 10, "npz of 8 frames": 5, "model": 5, "health": 5, "bad request": 10}
"""The percentage of each kind of request."""


@dataclass(frozen=True)
class LoadRequest:
    """A request, the expected status, and the number of expected predictions, from window `first` on."""

    kind: str
    method: str
    path: str
    status: int = HTTPStatus.OK
    content: bytes = b""
    media_type: str = _JSON
    first: int = 0
    frames: int = 0


class Validation(NamedTuple):
    """The version that a response names, if any, and what is wrong with the response, if anything."""

    version: str | None
    error: str | None


class RequestMix:
    """Random requests about one series. `expected` is version → predictions of all windows, `(n, 3)` in percent."""

    def __init__(self, candles: Candles, expected: Mapping[str, NDArray[np.float64]], seed: int) -> None:
        self._rows = [json.dumps(row) for row in rows_from_candles(candles)]
        self._expected = expected
        self._random = random.Random(seed)
        self._windows = len(candles) - STANDARD.window_candles + 1
        self._archives = [self._archive(candles, self._random.randrange(self._windows - NPZ_FRAMES)) for _ in range(_NPZ_FILES)]
        self._invalid = _invalid_requests(self._body)
        self._factories: dict[str, Callable[[], LoadRequest]] = {
            "one frame": lambda: self._frames("one frame", 1),
            "batch of 100 frames": lambda: self._frames("batch of 100 frames", BATCH_FRAMES),
            "npz of 8 frames": lambda: self._random.choice(self._archives),
            "model": lambda: LoadRequest("model", "GET", "/model"),
            "health": lambda: LoadRequest("health", "GET", "/health"),
            "bad request": lambda: self._random.choice(self._invalid),
        }

    def sample(self) -> LoadRequest:
        """A random request."""
        (kind,) = self._random.choices(list(SHARES), cum_weights=list(accumulate(SHARES.values())))
        return self._factories[kind]()

    def batches(self) -> list[LoadRequest]:
        """Requests for batches that cover all windows."""
        starts = range(0, self._windows - BATCH_FRAMES + 1, BATCH_FRAMES)
        return [self._predictions_request("warm-up", start, BATCH_FRAMES) for start in starts]

    def validate(self, request: LoadRequest, status: int, media_type: str, body: bytes) -> Validation:
        """Compare a response with the expected one."""
        if status != request.status:
            return Validation(None, f"{request.kind}: status {status} instead of {request.status}: {body[:300]!r}")
        if status >= HTTPStatus.BAD_REQUEST:
            return Validation(None, None if media_type == _PROBLEM else f"{request.kind}: {media_type} instead of a problem document")
        document = json.loads(body)
        if request.frames:
            return self._validate_predictions(request, document)
        if request.path == "/model":
            known = document["version"] in self._expected
            return Validation(document["version"], None if known else f"model: unknown version {document['version']}")
        return Validation(None, None if document == {"status": "ok"} else f"{request.kind}: unexpected response {document}")

    def _validate_predictions(self, request: LoadRequest, document: dict[str, Any]) -> Validation:
        version = document["model"]["version"]
        if version not in self._expected:
            return Validation(version, f"{request.kind}: unknown version {version}")
        expected = self._expected[version][request.first : request.first + request.frames]
        found = np.array([[result["predictions"][name] for name in OUTPUT_NAMES] for result in document["results"]])
        if found.shape != expected.shape:
            return Validation(version, f"{request.kind}: {len(found)} predictions for {request.frames} frames")
        difference = float(np.abs(found - expected).max())
        if not difference <= MAX_DIFFERENCE_PCT:
            return Validation(version, f"{request.kind}: differs by {difference:.5f} from the predictions of {version}, which it names")
        return Validation(version, None)

    def _frames(self, kind: str, frames: int) -> LoadRequest:
        return self._predictions_request(kind, self._random.randrange(self._windows - frames), frames)

    def _predictions_request(self, kind: str, first: int, frames: int) -> LoadRequest:
        body = self._body(first, STANDARD.window_candles + frames - 1)
        return LoadRequest(kind, "POST", "/predictions", content=body, first=first, frames=frames)

    def _body(self, first: int, count: int) -> bytes:
        rows = ", ".join(self._rows[first : first + count])
        return f'{{"symbol": "DEMOUSD", "interval": "1m", "candles": [{rows}]}}'.encode()

    def _archive(self, candles: Candles, first: int) -> LoadRequest:
        batch = windows(Columns(*(column[first : first + STANDARD.window_candles + NPZ_FRAMES - 1] for column in candles.columns)))
        buffer = io.BytesIO()
        np.savez_compressed(buffer, frames=render_frames(batch), windowRangePct=window_range_pct(batch))
        return LoadRequest(
            "npz of 8 frames", "POST", "/predictions", content=buffer.getvalue(), media_type=_NPZ, first=first, frames=NPZ_FRAMES
        )


def _invalid_requests(body: Callable[[int, int], bytes]) -> list[LoadRequest]:
    """Invalid requests with their expected status."""
    valid = body(0, STANDARD.window_candles)

    def invalid(status: HTTPStatus, content: bytes, media_type: str = _JSON, path: str = "/predictions") -> LoadRequest:
        return LoadRequest("bad request", "POST", path, status, content, media_type)

    return [
        invalid(HTTPStatus.BAD_REQUEST, valid[:-20]),
        invalid(HTTPStatus.BAD_REQUEST, b"PK, truncated", _NPZ),
        invalid(HTTPStatus.UNPROCESSABLE_ENTITY, body(0, STANDARD.window_candles - 1)),
        invalid(HTTPStatus.UNPROCESSABLE_ENTITY, valid.replace(b'"1m"', b'"7 apples"')),
        invalid(HTTPStatus.UNPROCESSABLE_ENTITY, valid.replace(b'"symbol"', b'"cymbal"')),
        invalid(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, valid, "application/x-www-form-urlencoded"),
        invalid(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, body(0, STANDARD.window_candles - 1 + MIN_WINDOWS)),
        invalid(HTTPStatus.NOT_FOUND, valid, path="/forecasts"),
    ]
