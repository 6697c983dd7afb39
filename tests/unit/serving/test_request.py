"""Parsing and validation of requests and messages."""

import json

import numpy as np
import pytest

from coinfarm.candles.candles import Candles
from coinfarm.candles.json_rows import rows_from_candles
from coinfarm.errors import CandleError, InvalidInput, MalformedRequest, TooLarge
from coinfarm.serving.request import BatchRequest, PredictionRequest, parse_request, prepare_series
from image_render.windows import Columns
from tests.support.synthetic_candles import MINUTE_MS, START_MS, assert_same_candles, minutes
from tests.support.traced_memory import peak_below

CANDLES = minutes(203)
REQUEST = {"symbol": "DEMOUSD", "interval": "1m", "candles": rows_from_candles(CANDLES)}
MESSAGE = REQUEST | {"resultsUri": "results/demo.json"}
FILE_MESSAGE = {"symbol": "DEMOUSD", "interval": "1m", "candlesUri": "demo.parquet", "resultsUri": "results/demo.parquet"}


@pytest.mark.parametrize("document", [REQUEST, json.dumps(REQUEST).encode()], ids=["object", "bytes"])
def test_a_request_has_a_series_of_windows(document):
    series = parse_request(PredictionRequest, document).series(max_frames=4)
    assert_same_candles(series.candles, CANDLES)
    assert (series.stride, len(series)) == (1, 4)


@pytest.mark.parametrize("kind", [PredictionRequest, BatchRequest])
@pytest.mark.parametrize(("symbol", "interval"), [("demo/usd", "60m"), ("DEMO-USD", "1H"), ("DEMOUSD", "1h")])
def test_any_spelling_of_symbol_and_interval_is_one(kind, symbol, interval):
    request = parse_request(kind, (MESSAGE if kind is BatchRequest else REQUEST) | {"symbol": symbol, "interval": interval})
    assert (request.symbol, request.interval) == ("DEMOUSD", "1h")


@pytest.mark.parametrize(
    "document",
    [b"", b"{'symbol': 1}", b"\xff", b'{"symbol": "A"', b"[" * 10_000],
    ids=["empty", "single quotes", "not UTF-8", "not closed", "deeply nested"],
)
def test_rejects_invalid_json(document):
    with pytest.raises(MalformedRequest):
        parse_request(PredictionRequest, document)


def pointers_of(kind, document):
    """The pointers of the errors; values, which may be secret, are not repeated."""
    with pytest.raises(InvalidInput) as error:
        parse_request(kind, document)
    assert not isinstance(error.value, MalformedRequest)
    assert "secret" not in str(error.value)
    return [item.pointer for item in error.value.errors]


@pytest.mark.parametrize("document", [7, None, b"[]", b"null"], ids=repr)
def test_rejects_json_that_is_not_an_object(document):
    assert pointers_of(PredictionRequest, document) == [""]


@pytest.mark.parametrize(
    "changed",
    [
        {"candles": []},
        {"symbol": "secret secret"},
        {"stride": 10_001},
        {"stride": 1.5},
        {"gaps": "ignore"},
        {"model_version": "bare-00000000"},
        {"resultsUri": "a.json"},
    ],
    ids=str,
)
def test_rejects_invalid_and_unknown_fields(changed):
    assert pointers_of(PredictionRequest, REQUEST | changed) == [f"/{name}" for name in changed]


def test_reports_all_missing_fields():
    assert pointers_of(PredictionRequest, {}) == ["/symbol", "/interval", "/candles"]


def test_rejects_intervals_that_do_not_divide_a_day():
    with pytest.raises(InvalidInput, match="/interval: '7m'"):
        parse_request(PredictionRequest, REQUEST | {"interval": "7m"}).series(10)


def test_fills_or_rejects_gaps():
    broken = minutes(203, missing={50, 51})
    with pytest.raises(CandleError, match="/candles/50/openTime: 2 candles"):
        prepare_series(broken, 1, "reject", max_frames=4)
    filled = prepare_series(broken, 1, "fill", max_frames=4).candles
    assert (len(filled), filled.filled.sum()) == (203, 2)
    with pytest.raises(TooLarge, match=r"\b203\b.*\b202\b"):  # filled candles count towards the limit
        prepare_series(broken, 1, "fill", max_frames=3)


def test_gaps_of_a_market_that_closes_may_be_skipped():
    request = parse_request(PredictionRequest, REQUEST | {"gaps": "skip"})
    assert request.gaps == "skip"
    series = prepare_series(minutes(203, missing={50, 51}), 1, request.gaps, max_frames=4)
    assert (len(series.candles), series.candles.filled.sum(), len(series)) == (201, 0, 2)


@pytest.mark.parametrize("count", [0, 199])
def test_rejects_too_few_candles(count):
    with pytest.raises(CandleError, match="/candles: "):
        prepare_series(CANDLES[:count], 1, "fill", max_frames=4)


@pytest.mark.parametrize("gaps", ["fill", "reject"])
@pytest.mark.parametrize(
    ("stride", "max_frames", "max_candles"),
    [(1, 3, 202), (2, 1, 201), (3, 1, 202)],
)
def test_rejects_one_candle_over_the_limit(gaps, stride, max_frames, max_candles):
    assert len(prepare_series(CANDLES[:max_candles], stride, gaps, max_frames)) == max_frames
    with pytest.raises(TooLarge, match=f"{max_frames + 1} windows .* {max_candles} candles"):
        prepare_series(CANDLES[: max_candles + 1], stride, gaps, max_frames)


def test_rejects_a_gap_of_centuries_before_filling_it():
    flat = Columns(*(np.full(2, 7.0) for _ in Columns._fields))
    with_gap = Candles.checked("DEMOUSD", "1m", np.array([START_MS, START_MS + 1_000_000_000 * MINUTE_MS]), flat)
    with peak_below(100_000), pytest.raises(TooLarge, match="10000000"):
        prepare_series(with_gap, 10_000, "fill", max_frames=50_000)


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        pytest.param(MESSAGE | {"candlesUri": "a.json"}, "", id="candles and candlesUri"),
        pytest.param(FILE_MESSAGE | {"candlesUri": None}, "", id="neither"),
        pytest.param(MESSAGE | {"from": "2020-01-01"}, "", id="from for inline candles"),
        pytest.param({key: MESSAGE[key] for key in REQUEST}, "/resultsUri", id="no resultsUri"),
        pytest.param(MESSAGE | {"resultsUri": "a.csv"}, "/resultsUri", id="unsupported file extension"),
        pytest.param(MESSAGE | {"resultsUri": "a.json\n"}, "/resultsUri", id="line break after the extension"),
        pytest.param(MESSAGE | {"resultsUri": "a" * 1_020 + ".json"}, "/resultsUri", id="long resultsUri"),
        pytest.param(FILE_MESSAGE | {"from": "yesterday"}, "/from", id="invalid date"),
        pytest.param(FILE_MESSAGE | {"start": "2020-01-01"}, "/start", id="the field's name in Python"),
        pytest.param(MESSAGE | {"stride": 0}, "/stride", id="stride of zero"),
    ],
)
def test_rejects_invalid_messages(document, pointer):
    assert pointers_of(BatchRequest, document) == [pointer]


NEW_YEAR_MS = 1_577_836_800_000


@pytest.mark.parametrize(
    ("time", "time_ms"),
    [
        pytest.param("2020-01-01", NEW_YEAR_MS, id="date"),
        pytest.param("2020-01-01T02:00:00+02:00", NEW_YEAR_MS, id="east of UTC"),
        pytest.param("2020-01-01T00:00:00.250Z", NEW_YEAR_MS + 250, id="milliseconds"),
        pytest.param(NEW_YEAR_MS, NEW_YEAR_MS, id="milliseconds since the epoch"),
        pytest.param(NEW_YEAR_MS // 1000, NEW_YEAR_MS, id="seconds since the epoch"),
        pytest.param("0001-01-01T00:00:00+14:00", -62_135_647_200_000, id="first datetime"),
        pytest.param("9999-12-31T23:59:59-14:00", 253_402_351_199_000, id="last datetime"),
    ],
)
def test_from_and_to_accept_any_time_zone(time, time_ms):
    request = parse_request(BatchRequest, FILE_MESSAGE | {"from": time, "to": time})
    assert (request.start_ms, request.stop_ms) == (time_ms, time_ms)
