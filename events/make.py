"""Writes the example events of this folder: `python events/make.py`.

Candles and ids are synthetic; the events have the shapes that AWS sends.
"""

import base64
import hashlib
import io
import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import numpy as np

from coinfarm.candle_store.store import CandleStore
from coinfarm.candles.candles import Candles
from coinfarm.candles.json_rows import FIELDS, rows_from_candles
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candles.synthetic import generate
from coinfarm.serving.candle_upload import FILE_TYPES
from coinfarm.serving.settings import reference_model_uri
from coinfarm.storage import open_storage
from image_render.render import render_frames
from image_render.windows import window_range_pct, windows

FOLDER = Path(__file__).parent
CANDLE_FILE = "DEMOUSD-1m.parquet"
STORE = "store"

_START = datetime(2026, 1, 1, tzinfo=UTC)
_NOW = datetime(2026, 1, 1, 8, 0, 5, tzinfo=UTC)
_REQUEST_TIME = f"{_NOW:%d/%b/%Y:%H:%M:%S +0000}"
_ACCOUNT, _REGION, _API_ID = "123456789012", "us-east-1", "a1b2c3d4e5"
_HOST = f"{_API_ID}.execute-api.{_REGION}.amazonaws.com"
_SOURCE_IP, _USER_AGENT = "203.0.113.7", "curl/8.14.1"
_COGNITO = (f"cognito{name}" for name in ("AuthenticationProvider", "AuthenticationType", "IdentityId", "IdentityPoolId"))
_NO_IDENTITY = dict.fromkeys(("accessKey", "accountId", "caller", *_COGNITO, "principalOrgId", "user", "userArn"))

Json = dict[str, Any]


def demo_candles() -> Candles:
    """Eight hours of one-minute candles."""
    return generate("DEMOUSD", "1m", _milliseconds(_START), 480, seed=2026)


def events(candles: Candles) -> dict[str, Json]:
    """Every event by file name; the inline candles are the first 210, which make 11 windows."""
    inline = candles[:210]
    request = {"symbol": inline.symbol, "interval": inline.interval, "candles": rows_from_candles(inline)}
    invalid = _with_high_below_low(request, at=17)
    csv = "\n".join(",".join(map(str, row)) for row in (FIELDS, *request["candles"]))
    objects = [dict(zip(FIELDS, row, strict=True)) for row in request["candles"]]
    file = {"symbol": candles.symbol, "interval": candles.interval, "candlesUri": CANDLE_FILE}
    found: dict[str, Json] = {}
    for kind, api_event in (("rest", rest_event), ("http", http_event)):
        for name, (method, path, media_type, body, *query) in {
            "predictions": ("POST", "/predictions", "application/json", json.dumps(request).encode()),
            "predictions-npz": ("POST", "/predictions", "application/x-npz", _npz(candles[:201])),
            "predictions-csv": ("POST", "/predictions", "text/csv", csv.encode(), "symbol=DEMOUSD"),
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
    found["direct"] = {**request, "candles": objects}
    found["rejected/direct-too-few-candles"] = {**request, "candles": objects[:199]}
    found["warmup"] = {"warmup": True}
    found["sqs-inline"] = queue_event(
        {**request, "resultsUri": "sqs-inline/first.json"},
        {**request, "stride": 5, "resultsUri": "sqs-inline/second.parquet"},
    )
    found["sqs-candle-file"] = queue_event(
        {**file, "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T04:00:00Z", "resultsUri": "sqs-candle-file/from-midnight.json"},
        {**file, "from": "2026-01-01T04:00:00Z", "resultsUri": "sqs-candle-file/from-four.parquet"},
    )
    found["shards"] = queue_event(shard_message("2026-01-01"), shard_message("2026-01-02"))
    found["rejected/sqs-one-bad-record"] = queue_event(
        {**request, "resultsUri": "sqs-one-bad-record/first.json"},
        {**invalid, "resultsUri": "sqs-one-bad-record/bad.json"},
        {**request, "resultsUri": "sqs-one-bad-record/third.parquet"},
    )
    return found


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


def rest_event(method: str, path: str, media_type: str, body: bytes, query: str = "") -> Json:
    """An event of a REST API (Lambda proxy integration)."""
    request_id = _uuid(f"rest {method} {path} {media_type}")
    headers = {
        "Accept": "image/png" if path == "/frames" else "*/*",
        **({"Content-Type": media_type} if media_type else {}),
        "Host": _HOST,
        "User-Agent": _USER_AGENT,
        "X-Amzn-Trace-Id": _trace_id(request_id),
        "X-Forwarded-For": _SOURCE_IP,
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
    }
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": dict(parse_qsl(query)) or None,
        "multiValueQueryStringParameters": parse_qs(query) or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": _ACCOUNT,
            "apiId": _API_ID,
            "deploymentId": "d4e5f6",
            "domainName": _HOST,
            "domainPrefix": _API_ID,
            "extendedRequestId": base64.b64encode(hashlib.sha256(request_id.encode()).digest()[:11]).decode(),
            "httpMethod": method,
            "identity": {**_NO_IDENTITY, "sourceIp": _SOURCE_IP, "userAgent": _USER_AGENT},
            "path": f"/v1{path}",
            "protocol": "HTTP/1.1",
            "requestId": request_id,
            "requestTime": _REQUEST_TIME,
            "requestTimeEpoch": _milliseconds(_NOW),
            "resourceId": hashlib.sha256(path.encode()).hexdigest()[:6],
            "resourcePath": path,
            "stage": "v1",
        },
        **_event_body(body, media_type),
    }


def http_event(method: str, path: str, media_type: str, body: bytes, query: str = "") -> Json:
    """An event of an HTTP API, payload format 2.0, which omits absent fields."""
    request_id = base64.b64encode(hashlib.sha256(f"http {method} {path} {media_type}".encode()).digest()[:11]).decode()
    headers = {
        "accept": "*/*",
        "content-length": str(len(body)),
        **({"content-type": media_type} if media_type else {}),
        "host": _HOST,
        "user-agent": _USER_AGENT,
        "x-amzn-trace-id": _trace_id(request_id),
        "x-forwarded-for": _SOURCE_IP,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    event = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "queryStringParameters": dict(parse_qsl(query)) or None,
        "requestContext": {
            "accountId": _ACCOUNT,
            "apiId": _API_ID,
            "domainName": _HOST,
            "domainPrefix": _API_ID,
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": _SOURCE_IP, "userAgent": _USER_AGENT},
            "requestId": request_id,
            "routeKey": f"{method} {path}",
            "stage": "$default",
            "time": _REQUEST_TIME,
            "timeEpoch": _milliseconds(_NOW),
        },
        **_event_body(body, media_type),
    }
    return {name: value for name, value in event.items() if value is not None}


def _event_body(body: bytes, media_type: str) -> Json:
    if media_type in ("application/x-npz", *FILE_TYPES):
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return {"body": body.decode() or None, "isBase64Encoded": False}


def queue_event(*messages: Json) -> Json:
    return {"Records": [_record(json.dumps(message)) for message in messages]}


def _record(body: str) -> Json:
    message_id = _uuid(body)
    return {
        "messageId": message_id,
        "receiptHandle": "AQEB" + base64.b64encode(hashlib.shake_256(message_id.encode()).digest(255)).decode(),
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "AWSTraceHeader": _trace_id(message_id),
            "SentTimestamp": str(_milliseconds(_NOW)),
            "SenderId": "AROAEXAMPLEEXAMPLEEXA:backfill",
            "ApproximateFirstReceiveTimestamp": str(_milliseconds(_NOW) + 4),
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{_REGION}:{_ACCOUNT}:coinfarm-Queue",
        "awsRegion": _REGION,
    }


def _trace_id(seed: str) -> str:
    return f"Root=1-{int(_NOW.timestamp()):08x}-{hashlib.sha256(seed.encode()).hexdigest()[:24]}"


def _uuid(seed: str) -> str:
    return str(uuid.UUID(bytes=hashlib.sha256(seed.encode()).digest()[:16], version=4))


def _milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def main() -> None:
    candles = demo_candles()
    (FOLDER / "candles" / CANDLE_FILE).write_bytes(parquet_from_candles(candles))
    CandleStore(open_storage(str(FOLDER / "candles" / STORE))).write_day(candles, replace=True)
    for name, event in events(candles).items():
        (FOLDER / f"{name}.json").write_text(json.dumps(event, indent=2) + "\n")


if __name__ == "__main__":
    main()
