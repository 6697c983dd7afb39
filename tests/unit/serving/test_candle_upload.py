"""Candle files in requests: their options, limits and listing."""

import gzip
import io
import zipfile

import numpy as np
import pytest

from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.errors import CandleError, InvalidInput, TooLarge
from coinfarm.serving import candle_upload
from coinfarm.serving.candle_upload import ListingOptions, PredictionOptions, candles_document
from coinfarm.serving.request import parse_request
from tests.support.demo_requests import demo_candles

CANDLES = demo_candles(210)
PARQUET = parquet_from_candles(CANDLES)
LIMIT = 1_000_000


def read(data, **options):
    return parse_request(ListingOptions, options).read(data, LIMIT)


@pytest.mark.parametrize(
    "options",
    [
        {"fileName": "DEMOUSD-1m.parquet"},
        {"fileName": "C:\\candles\\DEMOUSD-1m.dat"},
        {"symbol": "demo/usd"},
        {"fileName": "BTCUSD.parquet", "symbol": "DEMOUSD", "interval": "1m"},
    ],
    ids=["the name", "the name in a path", "the option", "the option before the name"],
)
def test_the_symbol_is_that_of_the_option_or_of_the_name(options):
    candles = read(PARQUET, **options).candles
    assert (candles.symbol, candles.interval) == ("DEMOUSD", "1m")
    np.testing.assert_array_equal(candles.columns.close, CANDLES.columns.close)


@pytest.mark.parametrize("name", ["", "..", "/", "symbol=../interval=1m/date=2020-01-01.parquet", "\u202e", "a" * 255])
def test_a_name_without_a_symbol_needs_the_option(name):
    with pytest.raises(InvalidInput, match="query parameter symbol"):
        read(PARQUET, fileName=name)


def zipped(name, data):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return file.getvalue()


def test_a_file_in_a_zip_cannot_name_an_invalid_symbol():
    with pytest.raises(InvalidInput):
        read(zipped("symbol=<script>/interval=1m/a.parquet", PARQUET))
    assert read(zipped("DEMOUSD-1m.parquet", PARQUET)).candles.symbol == "DEMOUSD"


@pytest.mark.parametrize(
    ("field", "value"),
    [("symbol", "no symbol!"), ("interval", "fortnight"), ("fileName", "a" * 256), ("limit", "0"), ("limit", "50001"), ("strid", "1")],
)
def test_invalid_options_are_named(field, value):
    with pytest.raises(InvalidInput) as raised:
        parse_request(ListingOptions, {field: value})
    assert raised.value.errors[0].pointer == f"/{field}"


def test_an_unknown_time_zone_and_another_interval_are_rejected():
    with pytest.raises(InvalidInput, match="Atlantis"):
        read(PARQUET, symbol="A", timezone="Atlantis")
    with pytest.raises(CandleError):
        read(PARQUET, symbol="A", interval="5m")


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zipped("A-1m.csv", data)], ids=["gzip", "zip"])
def test_a_packed_file_may_not_unpack_to_more_than_the_limit(pack):
    with pytest.raises(TooLarge, match="unpacks"):
        read(pack(bytes(LIMIT + 1)))


def test_a_file_may_not_have_more_rows_than_the_limit(monkeypatch):
    monkeypatch.setattr(candle_upload, "_MAX_FILE_CANDLES", 209)
    with pytest.raises(TooLarge, match="210"):
        read(PARQUET, symbol="A")


def test_options_of_predictions_are_read_from_texts():
    options = parse_request(PredictionOptions, {"stride": "5", "gaps": "reject", "symbol": "DEMOUSD"})
    reading = options.read(PARQUET, LIMIT)
    assert len(options.series(reading, 3)) == 3
    with pytest.raises(TooLarge):
        options.series(reading, 2)


def test_lists_the_newest_candles_and_says_so():
    complete = candles_document(read(PARQUET, symbol="DEMOUSD"), 210)
    assert (complete["symbol"], complete["interval"], complete["totalCandles"], complete["notes"]) == ("DEMOUSD", "1m", 210, [])
    columns = [CANDLES.open_time.tolist(), *(column.tolist() for column in CANDLES.columns)]
    assert complete["candles"] == [list(row) for row in zip(*columns, strict=True)]
    newest = candles_document(read(PARQUET, symbol="DEMOUSD"), 3)
    assert newest["candles"] == complete["candles"][-3:]
    assert (newest["totalCandles"], len(newest["notes"])) == (210, 1)


def test_the_longest_list_fits_into_a_response_of_lambda():
    """A row of the largest prices that any market has."""
    row = [1_767_225_600_000, *[0.000012345678] * 4, 123456789.12345678]
    assert candle_upload.MAX_LISTED_CANDLES * len(str(row)) < 6 << 20


def test_remedies_are_query_parameters():
    lines = [f"2018.01.0{1 + at // 60},{at % 24:02}:00,1.0,1.0,1.0,1.0,5" for at in range(24)]
    with pytest.raises(CandleError) as caught:
        read("\n".join(lines).encode(), fileName="EURUSD60.csv")
    text = str(caught.value)
    assert "query parameter timezone" in text
    assert "--" not in text
