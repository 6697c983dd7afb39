"""Every kind of invalid input through API Gateway: status and pointer of the problem document."""

import base64
import io
import zipfile

import numpy as np
import pytest

from coinfarm.candles.json_rows import FIELDS
from image_render.spec import STANDARD
from tests.support.demo_requests import MINUTE_MS, demo_request, npz


def with_candle(at, **fields):
    """A request with one candle changed."""
    request = demo_request()
    for name, value in fields.items():
        request["candles"][at][FIELDS.index(name)] = value
    return request


def with_objects(**changes):
    """A request with candles as objects; changes, adds or (None) removes fields of the third."""
    request = demo_request()
    request["candles"] = [dict(zip(FIELDS, row, strict=True)) for row in request["candles"]]
    changed = request["candles"][2] | changes
    request["candles"][2] = {name: value for name, value in changed.items() if value is not None}
    return request


def shifted(at, milliseconds):
    request = demo_request()
    request["candles"][at][0] += milliseconds
    return request


def without(field):
    return {name: value for name, value in demo_request().items() if name != field}


def with_candles(change):
    request = demo_request()
    request["candles"] = change(request["candles"])
    return request


REQUESTS = {
    "not JSON": (b"hello", 400, ""),
    "an array": ([1, 2, 3], 422, ""),
    "a missing field": (without("interval"), 422, "/interval"),
    "an unknown field": (demo_request(strid=2), 422, "/strid"),
    "an unknown gap policy": (demo_request(gaps="ignore"), 422, "/gaps"),
    "too few candles": (with_candles(lambda rows: rows[:-1]), 422, "/candles"),
    "a candle without its volume": (with_objects(volume=None), 422, "/candles/2/volume"),
    "a price that is a word": (with_candle(7, open="high"), 422, "/candles/7/open"),
    "a price of zero": (with_candle(7, low="0"), 422, "/candles/7/low"),
    "high below open": (with_candle(7, high="1", low="1"), 422, "/candles/7/high"),
    "a time out of range": (with_candle(7, openTime=10**30), 422, "/candles"),
    "a time off the grid": (shifted(7, 1), 422, "/candles/7/openTime"),
    "times out of order": (shifted(7, -3 * MINUTE_MS), 422, "/candles/7/openTime"),
    "a gap of years": (shifted(199, 10**9 * MINUTE_MS // 1000), 413, None),
    "too many candles": (demo_request(1200), 413, None),
    "an invalid version": (demo_request(modelVersion="latest"), 404, None),
}


def cases(table):
    return [pytest.param(*case, id=name) for name, case in table.items()]


def check(response, status, pointer):
    assert (response.status, response.media_type) == (status, "application/problem+json")
    problem = response.json()
    assert problem["status"] == status
    if pointer is None:
        assert "errors" not in problem
    else:
        assert problem["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(("body", "status", "pointer"), cases(REQUESTS))
def test_rejects_invalid_requests(send, monkeypatch, body, status, pointer):
    monkeypatch.setenv("MAX_FRAMES", "1000")
    check(send("POST", "/predictions", body), status, pointer)


def test_rejects_json_that_is_not_utf_8(send):
    body = base64.b64encode(b'{"symbol": "\xff"}').decode()
    check(send("POST", "/predictions", event={"body": body, "isBase64Encoded": True}), 400, "")


@pytest.mark.parametrize("path", ["/predictions", "/frames"])
def test_reports_at_most_ten_invalid_candles(send, path):
    request = demo_request()
    for at in range(20):
        request["candles"][at][5] = "-1"
    pointers = [fault["pointer"] for fault in send("POST", path, request).json()["errors"]]
    assert pointers == [f"/candles/{at}/volume" for at in range(10)]


FRAME = np.zeros((1, *STANDARD.shape), np.uint8)
PACKED = npz(frames=FRAME)
DAMAGED = PACKED[:150] + bytes([PACKED[150] ^ 1]) + PACKED[151:]


def bomb():
    """An archive of kilobytes that unpacks to 128 MB; the limit of 1,000 frames is 90."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("frames.npy", bytes(1 << 27))
    return file.getvalue()


ARCHIVES = {
    "not an archive": (b"hello", 400, ""),
    "a damaged member": (DAMAGED, 422, "/frames.npy"),
    "no frames": (npz(windowRangePct=[1.0]), 422, "/frames"),
    "a grey frame": (npz(frames=FRAME + 255), 422, "/frames/0"),
    "a range that is NaN": (npz(frames=FRAME, windowRangePct=[np.nan]), 422, "/windowRangePct/0"),
    "a decompression bomb": (bomb(), 413, None),
}


@pytest.mark.parametrize(("body", "status", "pointer"), cases(ARCHIVES))
def test_rejects_invalid_archives(send, body, status, pointer):
    check(send("POST", "/predictions", body, "application/x-npz"), status, pointer)
