"""The first example for users: 299 synthetic candles, sent to the handler as API Gateway would send them."""

import base64
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coinfarm.candles.json_rows import rows_from_candles
from coinfarm.candles.synthetic import START_OF_2026_MS, generate
from coinfarm.models.evaluation_document import EvaluationRecord
from coinfarm.models.evaluations import read_evaluations
from coinfarm.serving.chart import prediction_chart_png
from coinfarm.serving.settings import Settings
from coinfarm.storage import open_storage
from coinfarm.storage.local_file import write_file
from handler.app import lambda_handler
from handler.local_events import LocalContext, http_event
from image_render.spec import STANDARD

_FRAMES = 100


@dataclass(frozen=True)
class Example:
    """The response, the model's recorded evaluations on candles of the same interval, and the file of the chart.

    `first_s` is the time of the first response in seconds, including loading the model.
    """

    response: dict[str, Any]
    evaluations: list[EvaluationRecord]
    chart: Path
    first_s: float


def run_example(folder: Path) -> Example:
    """Request predictions and the model from the handler, and write a chart of the last window and its prediction to `folder`."""
    candles = generate("DEMOUSD", "1m", START_OF_2026_MS, STANDARD.window_candles + _FRAMES - 1, seed=2026)
    request = {"symbol": candles.symbol, "interval": candles.interval, "candles": rows_from_candles(candles)}
    started = time.perf_counter()
    response = json.loads(_request("POST", "/predictions", request))
    first_s = time.perf_counter() - started
    model = json.loads(_request("GET", "/model"))
    last = candles[-STANDARD.window_candles :]
    chart = folder / "chart.png"
    predicted = response["results"][-1]["predictions"]
    write_file(chart, prediction_chart_png(last, response["model"], predicted, model["horizonCandles"]))
    return Example(response, _recorded_evaluations(response["model"]["version"], candles.interval), chart, first_s)


def _recorded_evaluations(version: str, interval: str) -> list[EvaluationRecord]:
    """The evaluations on candles of the interval that are recorded under the model root; none for a bare `.keras` file."""
    uri = Settings.from_environment(os.environ).model_uri
    recorded = [] if uri.endswith(".keras") else read_evaluations(open_storage(uri), version)
    return [evaluation for evaluation in recorded if evaluation.interval == interval]


def _request(method: str, path: str, document: dict[str, Any] | None = None) -> bytes:
    body = b"" if document is None else json.dumps(document).encode()
    response = lambda_handler(http_event(method, path, headers={"content-type": "application/json"}, body=body), LocalContext())
    content: str = response["body"]
    if response["statusCode"] != 200:
        raise RuntimeError(f"{method} {path} returned {response['statusCode']}: {content}")
    return base64.b64decode(content) if response["isBase64Encoded"] else content.encode()
