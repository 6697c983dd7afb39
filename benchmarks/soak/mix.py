"""The mix of requests: what a server is asked, and whether an answer is the one that it had to give."""

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
from image_render.draw import draw_frames
from image_render.spec import STANDARD
from image_render.windows import Columns, window_range_pct, windows

BATCH_FRAMES = 100
NPZ_FRAMES = 8
_NPZ_FILES = 20
MIN_WINDOWS = 1_001
"""More than a request may ask for."""
_JSON, _NPZ, _PROBLEM = "application/json", "application/x-npz", "application/problem+json"
MAX_DIFFERENCE_PCT = 1e-4
"""Between an answer and its version's own, in percent of the price: other batches may round otherwise; other versions are 0.01 off."""

SHARES = {"one frame": 65, "batch of 100 frames": 10, "npz of 8 frames": 5, "model": 5, "health": 5, "bad request": 10}
"""How many of a hundred requests are of each kind."""


@dataclass(frozen=True)
class Ask:
    """One request: what is sent, the status that it must get, and which frames' predictions, from `first` on."""

    kind: str
    method: str
    path: str
    status: int = HTTPStatus.OK
    content: bytes = b""
    media_type: str = _JSON
    first: int = 0
    frames: int = 0


class Verdict(NamedTuple):
    """Which version an answer names, where it names one, and what is wrong with it."""

    version: str | None
    fault: str | None


class Mix:
    """Requests about one series of candles, drawn by chance. `truth` is version → what it predicts for each window, `(n, 3)` in percent."""

    def __init__(self, candles: Candles, truth: Mapping[str, NDArray[np.float64]], seed: int) -> None:
        self._rows = [json.dumps(row) for row in rows_from_candles(candles)]
        self._truth = truth
        self._random = random.Random(seed)
        self._windows = len(candles) - STANDARD.window_candles + 1
        self._archives = [self._archive(candles, self._random.randrange(self._windows - NPZ_FRAMES)) for _ in range(_NPZ_FILES)]
        self._bad = _bad_requests(self._body)
        self._makers: dict[str, Callable[[], Ask]] = {
            "one frame": lambda: self._frames("one frame", 1),
            "batch of 100 frames": lambda: self._frames("batch of 100 frames", BATCH_FRAMES),
            "npz of 8 frames": lambda: self._random.choice(self._archives),
            "model": lambda: Ask("model", "GET", "/model"),
            "health": lambda: Ask("health", "GET", "/health"),
            "bad request": lambda: self._random.choice(self._bad),
        }

    def draw(self) -> Ask:
        """The next request."""
        (kind,) = self._random.choices(list(SHARES), cum_weights=list(accumulate(SHARES.values())))
        return self._makers[kind]()

    def batches(self) -> list[Ask]:
        """All windows once, in batches."""
        starts = range(0, self._windows - BATCH_FRAMES + 1, BATCH_FRAMES)
        return [self._asked("warm-up", start, BATCH_FRAMES) for start in starts]

    def judge(self, ask: Ask, status: int, media_type: str, body: bytes) -> Verdict:
        """Whether it is the answer that this request had to get."""
        if status != ask.status:
            return Verdict(None, f"{ask.kind}: {status} in the place of {ask.status}: {body[:300]!r}")
        if status >= HTTPStatus.BAD_REQUEST:
            return Verdict(None, None if media_type == _PROBLEM else f"{ask.kind}: {media_type} in the place of a problem document")
        document = json.loads(body)
        if ask.frames:
            return self._judge_predictions(ask, document)
        if ask.path == "/model":
            known = document["version"] in self._truth
            return Verdict(document["version"], None if known else f"model: nobody published {document['version']}")
        return Verdict(None, None if document == {"status": "ok"} else f"{ask.kind}: answers {document}")

    def _judge_predictions(self, ask: Ask, document: dict[str, Any]) -> Verdict:
        version = document["model"]["version"]
        if version not in self._truth:
            return Verdict(version, f"{ask.kind}: nobody published {version}")
        expected = self._truth[version][ask.first : ask.first + ask.frames]
        found = np.array([[result["predictions"][name] for name in OUTPUT_NAMES] for result in document["results"]])
        if found.shape != expected.shape:
            return Verdict(version, f"{ask.kind}: {len(found)} predictions for {ask.frames} frames")
        off = float(np.abs(found - expected).max())
        if not off <= MAX_DIFFERENCE_PCT:
            return Verdict(version, f"{ask.kind}: {off:.5f} off what {version} predicts, though it is named")
        return Verdict(version, None)

    def _frames(self, kind: str, frames: int) -> Ask:
        return self._asked(kind, self._random.randrange(self._windows - frames), frames)

    def _asked(self, kind: str, first: int, frames: int) -> Ask:
        body = self._body(first, STANDARD.window_candles + frames - 1)
        return Ask(kind, "POST", "/predictions", content=body, first=first, frames=frames)

    def _body(self, first: int, count: int) -> bytes:
        rows = ", ".join(self._rows[first : first + count])
        return f'{{"symbol": "DEMOUSD", "interval": "1m", "candles": [{rows}]}}'.encode()

    def _archive(self, candles: Candles, first: int) -> Ask:
        drawn = windows(Columns(*(column[first : first + STANDARD.window_candles + NPZ_FRAMES - 1] for column in candles.columns)))
        buffer = io.BytesIO()
        np.savez_compressed(buffer, frames=draw_frames(drawn), windowRangePct=window_range_pct(drawn))
        return Ask("npz of 8 frames", "POST", "/predictions", content=buffer.getvalue(), media_type=_NPZ, first=first, frames=NPZ_FRAMES)


def _bad_requests(body: Callable[[int, int], bytes]) -> list[Ask]:
    """Each with the status that it must get."""
    good = body(0, STANDARD.window_candles)

    def bad(status: HTTPStatus, content: bytes, media_type: str = _JSON, path: str = "/predictions") -> Ask:
        return Ask("bad request", "POST", path, status, content, media_type)

    return [
        bad(HTTPStatus.BAD_REQUEST, good[:-20]),
        bad(HTTPStatus.BAD_REQUEST, b"PK, but not for long", _NPZ),
        bad(HTTPStatus.UNPROCESSABLE_ENTITY, body(0, STANDARD.window_candles - 1)),
        bad(HTTPStatus.UNPROCESSABLE_ENTITY, good.replace(b'"1m"', b'"7 apples"')),
        bad(HTTPStatus.UNPROCESSABLE_ENTITY, good.replace(b'"symbol"', b'"cymbal"')),
        bad(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, good, "text/csv"),
        bad(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, body(0, STANDARD.window_candles - 1 + MIN_WINDOWS)),
        bad(HTTPStatus.NOT_FOUND, good, path="/prophecies"),
    ]
