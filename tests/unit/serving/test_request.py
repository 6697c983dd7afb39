"""What may be asked, and what is said of a request that may not."""

import json
import tracemalloc
from typing import Any, Literal

import numpy as np
import pytest

from coinfarm.candles.candles import Candles
from coinfarm.candles.json_rows import rows_from_candles
from coinfarm.errors import CandleError, MalformedRequest, RequestError, TooLarge
from coinfarm.serving.request import BatchRequest, PredictionRequest, parse_request, prepare_series
from image_render.windows import Columns
from tests.support.synthetic_candles import MINUTE_MS, START_MS, assert_same_candles, minutes

CANDLES = minutes(203)
REQUEST: dict[str, Any] = {"symbol": "DEMOUSD", "interval": "1m", "candles": rows_from_candles(CANDLES)}
MESSAGE: dict[str, Any] = REQUEST | {"resultsUri": "results/demo.json"}
FILE_MESSAGE: dict[str, Any] = {"symbol": "DEMOUSD", "interval": "1m", "candlesUri": "demo.parquet", "resultsUri": "results/demo.parquet"}


@pytest.mark.parametrize("document", [REQUEST, json.dumps(REQUEST).encode()], ids=["object", "bytes"])
def test_a_request_becomes_a_series_of_windows(document: Any) -> None:
    series = parse_request(PredictionRequest, document).series(max_frames=4)
    assert_same_candles(series.candles, CANDLES)
    assert (series.stride, len(series)) == (1, 4)


def test_what_is_left_out_has_a_default() -> None:
    request = parse_request(PredictionRequest, REQUEST)
    assert (request.stride, request.gaps, request.model_version) == (1, "fill", None)


@pytest.mark.parametrize(
    "document",
    [b"", b"{", b"{'symbol': 1}", b"\xff", b'{"symbol": "A"', b"[" * 10_000],
    ids=["empty", "cut short", "quoted singly", "no text", "not closed", "nested too deep"],
)
def test_what_is_not_json_is_malformed(document: bytes) -> None:
    with pytest.raises(MalformedRequest, match="Invalid JSON"):
        parse_request(PredictionRequest, document)


@pytest.mark.parametrize("document", [[], 7, None, "predict", b"[]", b"null"], ids=repr)
def test_what_is_no_object_is_no_request(document: Any) -> None:
    with pytest.raises(RequestError, match="Input should be") as refused:
        parse_request(PredictionRequest, document)
    assert not isinstance(refused.value, MalformedRequest)
    assert [fault.pointer for fault in refused.value.faults] == [""]


@pytest.mark.parametrize(
    ("changed", "pointer", "detail"),
    [
        pytest.param({"symbol": None}, "/symbol", "should be a valid string", id="null symbol"),
        pytest.param({"symbol": "../BTC"}, "/symbol", "should match pattern", id="a path for a symbol"),
        pytest.param({"symbol": "B" * 33}, "/symbol", "should match pattern", id="long symbol"),
        pytest.param({"interval": "1w"}, "/interval", "should match pattern", id="unknown interval"),
        pytest.param({"candles": []}, "/candles", "at least 1 item", id="no candle"),
        pytest.param({"candles": {}}, "/candles", "should be a valid list", id="candles as an object"),
        pytest.param({"stride": 0}, "/stride", "greater than or equal to 1", id="no stride"),
        pytest.param({"stride": 10_001}, "/stride", "less than or equal to 10000", id="wide stride"),
        pytest.param({"stride": 10**30}, "/stride", "less than or equal to 10000", id="stride beyond 64 bits"),
        pytest.param({"stride": 1.5}, "/stride", "valid integer", id="fractional stride"),
        pytest.param({"gaps": "ignore"}, "/gaps", "'fill' or 'reject'", id="unknown gaps"),
        pytest.param({"modelVersion": 7}, "/modelVersion", "valid string", id="version as a number"),
        pytest.param({"model_version": "bare-00000000"}, "/model_version", "not permitted", id="snake_case"),
        pytest.param({"resultsUri": "a.json"}, "/resultsUri", "not permitted", id="a field of messages"),
    ],
)
def test_a_wrong_field_is_pointed_at(changed: dict[str, Any], pointer: str, detail: str) -> None:
    with pytest.raises(RequestError, match=detail) as refused:
        parse_request(PredictionRequest, REQUEST | changed)
    assert [fault.pointer for fault in refused.value.faults] == [pointer]


def test_all_missing_fields_are_named_at_once() -> None:
    with pytest.raises(RequestError, match="/symbol: Field required; /interval: Field required; /candles: Field required"):
        parse_request(PredictionRequest, {})


def test_no_error_repeats_what_was_sent() -> None:
    with pytest.raises(RequestError) as refused:
        parse_request(PredictionRequest, REQUEST | {"symbol": "secret secret"})
    assert "secret" not in str(refused.value)


def test_an_interval_that_does_not_divide_a_day_is_named() -> None:
    with pytest.raises(RequestError, match="/interval: '7m'"):
        parse_request(PredictionRequest, REQUEST | {"interval": "7m"}).series(10)


@pytest.mark.parametrize(("gaps", "count"), [("fill", 203), ("reject", None)])
def test_holes_are_filled_or_refused_as_asked(gaps: Literal["fill", "reject"], count: int | None) -> None:
    broken = minutes(203, missing={50, 51})
    if count is None:
        with pytest.raises(CandleError, match="/candles/50/openTime: 2 candles are missing before it"):
            prepare_series(broken, 1, gaps, max_frames=4)
    else:
        series = prepare_series(broken, 1, gaps, max_frames=4)
        assert len(series.candles) == count
        assert series.candles.filled.sum() == 2


def test_candles_too_few_for_a_window_are_refused_by_number() -> None:
    with pytest.raises(CandleError, match=r"/candles: 199 candles are too few: a prediction needs 200"):
        prepare_series(CANDLES[:199], 1, "fill", max_frames=4)


def test_candles_too_few_may_become_enough_when_filled() -> None:
    assert len(prepare_series(minutes(200, missing={100}), 1, "fill", max_frames=1)) == 1


def test_an_empty_stretch_is_refused() -> None:
    with pytest.raises(CandleError, match="/candles: there is no candle between from and to"):
        prepare_series(CANDLES[:0], 1, "fill", max_frames=4)


@pytest.mark.parametrize("gaps", ["fill", "reject"])
@pytest.mark.parametrize(
    ("stride", "max_frames", "max_candles"),
    [pytest.param(1, 3, 202, id="stride 1"), pytest.param(2, 1, 201, id="stride 2"), pytest.param(3, 1, 202, id="stride 3")],
)
def test_as_many_candles_as_said_are_taken_and_one_more_is_refused(
    gaps: Literal["fill", "reject"], stride: int, max_frames: int, max_candles: int
) -> None:
    assert len(prepare_series(CANDLES[:max_candles], stride, gaps, max_frames)) == max_frames
    with pytest.raises(
        TooLarge, match=f"{max_frames + 1} windows are more than the {max_frames} of one request: send at most {max_candles} candles"
    ):
        prepare_series(CANDLES[: max_candles + 1], stride, gaps, max_frames)


def test_holes_count_as_candles_when_they_are_filled() -> None:
    with pytest.raises(TooLarge, match=r"\b203\b.*\b202\b"):
        prepare_series(minutes(203, missing={100, 101}), 1, "fill", max_frames=3)


def test_a_wide_stride_does_not_let_a_hole_of_centuries_fill_the_memory() -> None:
    flat = Columns(*(np.full(2, 7.0) for _ in Columns._fields))
    torn = Candles.checked("DEMOUSD", "1m", np.array([START_MS, START_MS + 1_000_000_000 * MINUTE_MS]), flat)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match="at most 10000000 are allowed"):
            prepare_series(torn, 10_000, "fill", max_frames=50_000)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_a_message_names_a_file_or_brings_its_candles() -> None:
    assert parse_request(BatchRequest, FILE_MESSAGE).candles is None
    assert parse_request(BatchRequest, MESSAGE).candles_uri is None


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param(MESSAGE | {"candlesUri": "a.json"}, "give either candles or candlesUri", id="both"),
        pytest.param(FILE_MESSAGE | {"candlesUri": None}, "give either candles or candlesUri", id="neither"),
        pytest.param(
            MESSAGE | {"from": "2020-01-01"}, "from and to choose among the candles of a candlesUri", id="from for inline candles"
        ),
        pytest.param(MESSAGE | {"to": "2020-01-01"}, "from and to choose among the candles of a candlesUri", id="to for inline candles"),
        pytest.param({key: MESSAGE[key] for key in REQUEST}, "/resultsUri: Field required", id="no resultsUri"),
        pytest.param(MESSAGE | {"resultsUri": "a.csv"}, "/resultsUri: String should match pattern", id="another ending"),
        pytest.param(MESSAGE | {"resultsUri": "a.json\n"}, "/resultsUri: String should match pattern", id="line break after the ending"),
        pytest.param(MESSAGE | {"resultsUri": "a" * 1_020 + ".json"}, "/resultsUri: .*at most 1024", id="long resultsUri"),
        pytest.param(FILE_MESSAGE | {"candlesUri": "a" * 1_025}, "/candlesUri: .*at most 1024", id="long candlesUri"),
        pytest.param(FILE_MESSAGE | {"from": "yesterday"}, "/from: Input should be a valid datetime", id="no date"),
        pytest.param(FILE_MESSAGE | {"start": "2020-01-01"}, "/start: Extra inputs are not permitted", id="the field's name in Python"),
        pytest.param(MESSAGE | {"stride": 0}, "/stride: .*greater than or equal to 1", id="no stride"),
    ],
)
def test_a_wrong_message_is_refused(document: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        parse_request(BatchRequest, document)


NEW_YEAR_MS = 1_577_836_800_000


@pytest.mark.parametrize(
    ("time", "time_ms"),
    [
        pytest.param("2020-01-01", NEW_YEAR_MS, id="a date is its midnight in UTC"),
        pytest.param("2020-01-01T00:00:00", NEW_YEAR_MS, id="no zone is UTC"),
        pytest.param("2020-01-01T00:00:00Z", NEW_YEAR_MS, id="UTC"),
        pytest.param("2020-01-01T02:00:00+02:00", NEW_YEAR_MS, id="east of UTC"),
        pytest.param("2019-12-31T19:00:00-05:00", NEW_YEAR_MS, id="west of UTC"),
        pytest.param("2020-01-01T00:00:00.250Z", NEW_YEAR_MS + 250, id="milliseconds"),
        pytest.param(NEW_YEAR_MS, NEW_YEAR_MS, id="milliseconds since the epoch"),
        pytest.param(NEW_YEAR_MS // 1000, NEW_YEAR_MS, id="seconds since the epoch"),
        pytest.param("0001-01-01T00:00:00+14:00", -62_135_647_200_000, id="the first of all times"),
        pytest.param("9999-12-31T23:59:59-14:00", 253_402_351_199_000, id="the last of all times"),
    ],
)
def test_from_and_to_are_times_of_any_zone(time: str | int, time_ms: int) -> None:
    request = parse_request(BatchRequest, FILE_MESSAGE | {"from": time, "to": time})
    assert (request.start_ms, request.stop_ms) == (time_ms, time_ms)


def test_without_from_and_to_there_is_no_bound() -> None:
    request = parse_request(BatchRequest, FILE_MESSAGE)
    assert (request.start_ms, request.stop_ms) == (None, None)


def test_a_request_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        parse_request(PredictionRequest, REQUEST).stride = 2  # type: ignore[misc]
