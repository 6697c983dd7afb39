"""Writes the example events of this folder: `python events/make.py`.

Candles and ids are synthetic; the events have the shapes that AWS sends.
"""

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from http_events import function_url_event, http_event, load_balancer_event, multi_value_event, rest_event
from ids import Json
from service_events import (
    bucket_notification,
    object_created,
    queue_event,
    scheduled_event,
    scheduler_event,
    topic_event,
    topic_notification,
)

from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.candles import Candles
from coinfarm.candles.json_rows import FIELDS, rows_from_candles
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candles.synthetic import generate
from coinfarm.serving.settings import reference_model_uri
from coinfarm.storage import open_storage
from image_render.render import render_frames
from image_render.windows import window_range_pct, windows

FOLDER = Path(__file__).parent
CANDLE_FILE = "DEMOUSD-1m.parquet"
UPLOAD = "uploads/DEMOUSD-1m.csv"
STORE = "store"

_START = datetime(2026, 1, 1, tzinfo=UTC)


def demo_candles() -> Candles:
    """Eight hours of one-minute candles."""
    return generate("DEMOUSD", "1m", round(_START.timestamp() * 1000), 480, seed=2026)


def events(candles: Candles) -> dict[str, Json]:
    """Every event by file name; the inline candles are the first 210, which make 11 windows."""
    inline = candles[:210]
    request = {"symbol": inline.symbol, "interval": inline.interval, "candles": rows_from_candles(inline)}
    invalid = _with_high_below_low(request, at=17)
    objects = [dict(zip(FIELDS, row, strict=True)) for row in request["candles"]]
    file = {"symbol": candles.symbol, "interval": candles.interval, "candlesUri": CANDLE_FILE}
    found: dict[str, Json] = {}
    file_content = _csv(candles)
    for kind, api_event in (("rest", rest_event), ("http", http_event)):
        for name, (method, path, media_type, body, *query) in {
            "predictions": ("POST", "/predictions", "application/json", json.dumps(request).encode()),
            "predictions-npz": ("POST", "/predictions", "application/x-npz", _npz(candles[:201])),
            "predictions-csv": ("POST", "/predictions", "text/csv", _csv(inline), "symbol=DEMOUSD"),
            "candles": ("POST", "/candles", "application/vnd.apache.parquet", parquet_from_candles(inline), f"fileName={CANDLE_FILE}"),
            "explanation": ("POST", "/explanation", "application/json", json.dumps(request).encode()),
            "frames": ("POST", "/frames", "application/json", json.dumps(request).encode()),
            "model": ("GET", "/model", "", b""),
            "health": ("GET", "/health", "", b""),
            "ready": ("GET", "/ready", "", b""),
            "openapi": ("GET", "/openapi.json", "", b""),
            "docs": ("GET", "/docs", "", b""),
        }.items():
            found[f"api-{kind}-{name}"] = api_event(method, path, media_type, body, *query)
        found[f"rejected/api-{kind}-high-below-low"] = api_event("POST", "/predictions", "application/json", json.dumps(invalid).encode())
    for kind, api_event in (("url", function_url_event), ("alb", load_balancer_event), ("alb-multi", multi_value_event)):
        found[f"api-{kind}-predictions"] = api_event("POST", "/predictions", "application/json", json.dumps(request).encode())
    found["direct"] = {**request, "candles": objects}
    found["rejected/direct-too-few-candles"] = {**request, "candles": objects[:199]}
    found["warmup"] = {"warmup": True}
    found["schedule-rule"] = scheduled_event()
    found["schedule-scheduler"] = scheduler_event()
    found["live"] = {"live": {"exchange": "binanceus", "interval": "1m", "symbols": ["BTC/USDT", "ETH/USDT"]}}
    found["s3-object-created"] = object_created("candles", UPLOAD, file_content)
    found["s3-put"] = bucket_notification("candles", UPLOAD, file_content)
    found["sqs-inline"] = queue_event(
        {**request, "resultsUri": "sqs-inline/first.json"},
        {**request, "stride": 5, "resultsUri": "sqs-inline/second.parquet"},
    )
    found["sqs-candle-file"] = queue_event(
        {**file, "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T04:00:00Z", "resultsUri": "sqs-candle-file/from-midnight.json"},
        {**file, "from": "2026-01-01T04:00:00Z", "resultsUri": "sqs-candle-file/from-four.parquet"},
    )
    found["shards"] = queue_event(shard_message("2026-01-01"), shard_message("2026-01-02"))
    found["sqs-sns"] = queue_event(
        topic_notification({**request, "resultsUri": "sqs-sns/wrapped.json"}),
        {**request, "resultsUri": "sqs-sns/raw-delivery.json"},
    )
    found["sqs-s3-object-created"] = queue_event(object_created("candles", UPLOAD, file_content))
    found["rejected/sns-notification"] = topic_event({**request, "resultsUri": "never.json"})
    found["rejected/sqs-one-bad-record"] = queue_event(
        {**request, "resultsUri": "sqs-one-bad-record/first.json"},
        {**invalid, "resultsUri": "sqs-one-bad-record/bad.json"},
        {**request, "resultsUri": "sqs-one-bad-record/third.parquet"},
    )
    return found


def _csv(candles: Candles) -> bytes:
    """A file of candles with a header."""
    rows = [FIELDS, *rows_from_candles(candles)]
    return "".join(",".join(map(str, row)) + "\n" for row in rows).encode()


def shard_message(day: str) -> Json:
    """A message of `coinfarm backfill submit` for the candle store of this folder."""
    version = json.loads((Path(reference_model_uri()) / "current.json").read_bytes())["version"]
    shard = {"symbol": "DEMOUSD", "interval": "1m", "date": day, "stride": 1}
    return {**shard, "modelVersion": version, "candlesUri": STORE, "resultsUri": "shards"}


def _with_high_below_low(request: Json, at: int) -> Json:
    rows = [list(row) for row in request["candles"]]
    rows[at][2] = str(float(rows[at][3]) - 1)
    return {**request, "candles": rows}


def _npz(candles: Candles) -> bytes:
    view = windows(candles.columns)
    file = io.BytesIO()
    np.savez_compressed(file, frames=render_frames(view), windowRangePct=window_range_pct(view))
    return file.getvalue()


def main() -> None:
    candles = demo_candles()
    (FOLDER / "candles" / CANDLE_FILE).write_bytes(parquet_from_candles(candles))
    CandleStore(open_storage(str(FOLDER / "candles" / STORE))).write_day(candles, replace=True)
    (FOLDER / "candles" / UPLOAD).parent.mkdir(exist_ok=True)
    (FOLDER / "candles" / UPLOAD).write_bytes(_csv(candles))
    for name, event in events(candles).items():
        (FOLDER / f"{name}.json").write_text(json.dumps(event, indent=2) + "\n")


if __name__ == "__main__":
    main()
