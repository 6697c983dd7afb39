"""The example that a person sees first: 299 made-up candles, sent to the handler as API Gateway would send them."""

import base64
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coinfarm.candle_rows import rows_from_candles
from coinfarm.storage.local_file import write_file
from coinfarm.synthetic import generate
from handler.app import lambda_handler
from handler.local import LocalContext, http_event
from image_render.spec import STANDARD

_FRAMES = 100
_NEW_YEAR_2026_MS = 1_767_225_600_000


@dataclass(frozen=True)
class Example:
    """What came back: the answer, the model's metrics, where the picture lies, and how long the first answer took, all included."""

    answer: dict[str, Any]
    metrics: dict[str, Any]
    picture: Path
    first_s: float


def run_example(folder: Path) -> Example:
    """Ask the handler for predictions, for its model, and for a picture of the last frame, which is left in `folder`."""
    candles = generate("DEMOUSD", "1m", _NEW_YEAR_2026_MS, STANDARD.window_candles + _FRAMES - 1, seed=2026)
    request = {"symbol": candles.symbol, "interval": candles.interval, "candles": rows_from_candles(candles)}
    started = time.perf_counter()
    answer = json.loads(_ask("POST", "/predictions", request))
    first_s = time.perf_counter() - started
    metrics = json.loads(_ask("GET", "/model"))["metrics"]
    picture = folder / "last-frame.png"
    write_file(picture, _ask("POST", "/frames", {**request, "candles": request["candles"][-STANDARD.window_candles :]}))
    return Example(answer, metrics, picture, first_s)


def _ask(method: str, path: str, document: dict[str, Any] | None = None) -> bytes:
    body = b"" if document is None else json.dumps(document).encode()
    response = lambda_handler(http_event(method, path, headers={"content-type": "application/json"}, body=body), LocalContext())
    content: str = response["body"]
    if response["statusCode"] != 200:
        raise RuntimeError(f"{method} {path} answered {response['statusCode']}: {content}")
    return base64.b64decode(content) if response["isBase64Encoded"] else content.encode()
