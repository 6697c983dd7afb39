"""Each kind of bad input, sent through API Gateway: its status, and where the problem document points."""

import base64
import io
import json
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
    """A request of candles as objects, in the third of which fields are changed, added, or (None) left out."""
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
    "not JSON": (b"hello", 400, "", "Invalid JSON"),
    "cut short": (json.dumps(demo_request()).encode()[:-9], 400, "", "Invalid JSON"),
    "empty": (b"", 400, "", "Invalid JSON"),
    "nested without end": (b"[" * 100_000, 400, "", "Invalid JSON"),
    "an array": ([1, 2, 3], 422, "", "should be an object"),
    "null": (b"null", 422, "", "should be an object"),
    "a missing field": (without("interval"), 422, "/interval", "required"),
    "an unknown field": (demo_request(strid=2), 422, "/strid", "not permitted"),
    "a field spelled as in Python": (demo_request(model_version="x"), 422, "/model_version", "not permitted"),
    "an unknown interval": (demo_request() | {"interval": "1w"}, 422, "/interval", "pattern"),
    "an interval that divides no day": (demo_request() | {"interval": "7m"}, 422, "/interval", "'7m' is no interval"),
    "a symbol with a path in it": (demo_request() | {"symbol": "../BTC"}, 422, "/symbol", "pattern"),
    "a stride of nothing": (demo_request(stride=0), 422, "/stride", "greater than"),
    "a stride that is no number": (demo_request(stride="some"), 422, "/stride", "integer"),
    "an unknown way with holes": (demo_request(gaps="ignore"), 422, "/gaps", "'fill' or 'reject'"),
    "no candle": (with_candles(lambda rows: []), 422, "/candles", "at least 1"),
    "too few candles": (with_candles(lambda rows: rows[:-1]), 422, "/candles", "199 candles are too few"),
    "candles that are no list": (with_candles(lambda rows: "many"), 422, "/candles", "valid array"),
    "a candle that is no candle": (with_candles(lambda rows: [*rows[:5], 7, *rows[6:]]), 422, "/candles/5", "must be an array"),
    "a candle with too few fields": (with_candles(lambda rows: [*rows[:5], rows[5][:5], *rows[6:]]), 422, "/candles/5", "5 fields"),
    "an array among objects": (with_candles(lambda rows: [*with_objects()["candles"][:5], *rows[5:]]), 422, "/candles/5", "an object"),
    "a candle without its volume": (with_objects(volume=None), 422, "/candles/2/volume", "missing"),
    "a candle with an unknown field": (with_objects(vol="1"), 422, "/candles/2/vol", "unknown"),
    "a price that is a word": (with_candle(7, open="high"), 422, "/candles/7/open", "must be a number, not 'high'"),
    "a price that is a boolean": (with_candle(7, open=True), 422, "/candles/7/open", "not a boolean"),
    "a price that is null": (with_candle(7, open=None), 422, "/candles/7/open", "not null"),
    "NaN": (with_candle(7, close="NaN"), 422, "/candles/7/close", "finite price"),
    "NaN without quotes": (with_candle(7, close=float("nan")), 422, "/candles/7/close", "finite price"),
    "infinity": (with_candle(7, high="Infinity"), 422, "/candles/7/high", "finite price"),
    "a price beyond float64": (with_candle(7, high="1e999"), 422, "/candles/7/high", "finite price"),
    "a price of zero": (with_candle(7, low="0"), 422, "/candles/7/low", "above zero"),
    "a negative price": (with_candle(7, low="-1"), 422, "/candles/7/low", "above zero"),
    "a negative volume": (with_candle(7, volume="-1"), 422, "/candles/7/volume", "zero or above"),
    "high below open": (with_candle(7, high="1", low="1"), 422, "/candles/7/high", "is below the open"),
    "low above close": (with_candle(7, high="9e9", low="8e9"), 422, "/candles/7/low", "is above the open"),
    "a time that is a string": (with_candle(7, openTime="2026-01-01"), 422, "/candles/7/openTime", "whole number"),
    "a time in seconds": (shifted(0, -1_765_458_374_400), 422, "/candles/0/openTime", "not seconds"),
    "a time beyond any calendar": (with_candle(7, openTime=10**30), 422, "/candles", "beyond any calendar"),
    "a time off the grid": (shifted(7, 1), 422, "/candles/7/openTime", "not a multiple of 1m"),
    "a time twice": (shifted(7, -MINUTE_MS), 422, "/candles/7/openTime", "the candle before it again"),
    "times out of order": (shifted(7, -3 * MINUTE_MS), 422, "/candles/7/openTime", "earlier than the candle before"),
    "a hole of years": (shifted(199, 10**9 * MINUTE_MS // 1000), 413, None, "send the stretches on either side"),
    "too many candles": (demo_request(1200), 413, None, "send at most 1199 candles"),
    "no such version": (demo_request(modelVersion="latest"), 404, None, "not a version of a model"),
}


def cases(table):
    return [pytest.param(*case, id=name) for name, case in table.items()]


def check(answer, status, pointer, words):
    assert (answer.status, answer.media_type) == (status, "application/problem+json")
    problem = answer.json()
    assert problem["status"] == status
    assert words in problem["detail"]
    if pointer is None:
        assert "errors" not in problem
    else:
        assert problem["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(("body", "status", "pointer", "words"), cases(REQUESTS))
def test_a_bad_request_is_refused_where_it_is_wrong(ask, monkeypatch, body, status, pointer, words):
    monkeypatch.setenv("MAX_FRAMES", "1000")
    check(ask("POST", "/predictions", body), status, pointer, words)


def test_json_that_is_not_utf_8_is_refused(ask):
    body = base64.b64encode(b'{"symbol": "\xff"}').decode()
    check(ask("POST", "/predictions", event={"body": body, "isBase64Encoded": True}), 400, "", "Invalid JSON")


@pytest.mark.parametrize("path", ["/predictions", "/frames"])
def test_all_the_faults_are_named_up_to_ten(ask, path):
    request = demo_request()
    for at in range(20):
        request["candles"][at][5] = "-1"
    pointers = [fault["pointer"] for fault in ask("POST", path, request).json()["errors"]]
    assert pointers == [f"/candles/{at}/volume" for at in range(10)]


FRAME = np.zeros((1, *STANDARD.shape), np.uint8)


PACKED = npz(frames=FRAME)
DAMAGED = PACKED[:150] + bytes([PACKED[150] ^ 1]) + PACKED[151:]
PICKLE = npz(frames=np.array([{"a": 1}], dtype=object))


def bomb():
    """An archive of kilobytes that unpacks to 128 MB; the limit of 1,000 frames is 90."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("frames.npy", bytes(1 << 27))
    return file.getvalue()


BOMB = bomb()
UNDERSTATED_BOMB = BOMB.replace((1 << 27).to_bytes(4, "little"), (90_128).to_bytes(4, "little"))

ARCHIVES = {
    "no archive": (b"hello", 400, "", "numpy.savez_compressed"),
    "an archive cut short": (PACKED[:-30], 400, "", "is not an .npz archive"),
    "a damaged member": (DAMAGED, 422, "/frames.npy", "is no plain NumPy array"),
    "no frames": (npz(windowRangePct=[1.0]), 422, "/frames", "is missing"),
    "an unknown member": (npz(frames=FRAME, labels=[1]), 422, "/labels", "is unknown"),
    "no frame": (npz(frames=FRAME[:0]), 422, "/frames", "there is no frame"),
    "the wrong dtype": (npz(frames=FRAME.astype(np.int8)), 422, "/frames", "must be uint8"),
    "the wrong shape": (npz(frames=np.zeros((1, 150, 200, 3), np.uint8)), 422, "/frames", "(N, 200, 150, 3)"),
    "a single frame without its axis": (npz(frames=FRAME[0]), 422, "/frames", "(N, 200, 150, 3)"),
    "a grey frame": (npz(frames=FRAME + 255), 422, "/frames/0", "only 0 and 1"),
    "a pickle": (PICKLE, 422, "/frames.npy", "allow_pickle"),
    "ranges of another number": (npz(frames=FRAME, windowRangePct=[1.0, 2.0]), 422, "/windowRangePct", "one per frame"),
    "a range that is NaN": (npz(frames=FRAME, windowRangePct=[np.nan]), 422, "/windowRangePct/0", "finite"),
    "a decompression bomb": (BOMB, 413, None, "send several requests"),
    "a bomb that understates itself": (UNDERSTATED_BOMB, 422, "/frames.npy", "is no plain NumPy array"),
}


@pytest.mark.parametrize(("body", "status", "pointer", "words"), cases(ARCHIVES))
def test_a_bad_archive_of_frames_is_refused_where_it_is_wrong(ask, body, status, pointer, words):
    check(ask("POST", "/predictions", body, "application/x-npz"), status, pointer, words)
