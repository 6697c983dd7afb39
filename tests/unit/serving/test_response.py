"""Responses in JSON and Parquet."""

import io
import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coinfarm.models.manifest import Output
from coinfarm.outputs import OUTPUT_COLUMNS, output_names
from coinfarm.prediction.predictions import Predictions
from coinfarm.serving.response import frames_response, predicted_at, response_document, response_file, source_message_id
from tests.support.pixel_engine import PixelEngine, loaded

NAN = float("nan")
PREDICTIONS = Predictions(
    open_time=np.array([1_000, 2_000]),
    close_time=np.array([1_999, 2_999]),
    filled_candles=np.array([3, 150]),
    in_sample=np.array([True, False]),
    values_pct=np.array([[0.1, -0.2, 1 / 3], [NAN, NAN, NAN]]),
)
IDENTITY = {"name": "fake", "engine": "pixels"}


@pytest.fixture
def model(tmp_path):
    return loaded(tmp_path / "model", PixelEngine())


def test_json_document_and_file(model):
    document = response_document(model, PREDICTIONS)
    assert document["model"] == IDENTITY | {"version": model.version}
    values = {"maxRisePct": 0.1, "maxDeclinePct": -0.2, "endChangePct": 1 / 3}
    assert document["results"] == [
        {"openTime": 1_000, "closeTime": 1_999, "inSample": True, "filledCandles": 3, "predictions": values},
        {"openTime": 2_000, "closeTime": 2_999, "inSample": False, "filledCandles": 150, "predictions": None},
    ]
    assert json.loads(response_file(model, PREDICTIONS, ".json", "message-1")) == {"messageId": "message-1", **document}
    unknown = replace(PREDICTIONS, in_sample=None)
    assert [result["inSample"] for result in response_document(model, unknown)["results"]] == [None, None]


def test_several_horizons(tmp_path):
    outputs = tuple(Output(name=name) for name in output_names((100,)))
    model = loaded(tmp_path / "model", PixelEngine(), outputs=outputs, horizon_candles=10)
    found = replace(PREDICTIONS, values_pct=np.array([[1.0, 2, 3, 4, 5, 6], [NAN] * 6]), further_horizons=(100,))
    first, second = response_document(model, found)["results"]
    short, long = ({"maxRisePct": n, "maxDeclinePct": n + 1, "endChangePct": n + 2} for n in (1.0, 4.0))
    assert (first["predictions"], first["horizons"]) == (short, {"10": short, "100": long})
    assert (second["predictions"], second["horizons"]) == (None, None)
    assert [predicted_at(first, horizon) for horizon in (None, 10, 100)] == [short, short, long]
    assert predicted_at(second, 100) is None
    (frame,) = frames_response(model, found.values_pct[:1])["results"]
    assert (frame["predictions"], frame["horizons"]) == (short, first["horizons"])
    table = pq.read_table(io.BytesIO(response_file(model, found, ".parquet", "message-1")))
    assert table.column_names[4:] == [*OUTPUT_COLUMNS, "max_rise_pct_h100", "max_decline_pct_h100", "end_change_pct_h100"]
    assert table.slice(0, 1).to_pandas().iloc[0, 4:].tolist() == [1, 2, 3, 4, 5, 6]


def test_frames_response_has_no_times(model):
    (result,) = frames_response(model, np.array([[1.0, -2.0, 0.5]]))["results"]
    assert result.pop("predictions") == {"maxRisePct": 1.0, "maxDeclinePct": -2.0, "endChangePct": 0.5}
    assert result == dict.fromkeys(("openTime", "closeTime", "inSample", "filledCandles"))


@pytest.mark.parametrize("in_sample", [[True, False], [None, None]], ids=["known", "unknown"])
def test_parquet_file(model, in_sample):
    predictions = replace(PREDICTIONS, in_sample=None if in_sample == [None, None] else np.array(in_sample))
    table = pq.read_table(io.BytesIO(response_file(model, predictions, ".parquet", "message-1")))
    assert list(map(str, table.schema.types)) == ["int64", "int64", "bool", "int64", "double", "double", "double"]
    assert table.column_names[:4] == ["open_time", "close_time", "in_sample", "filled_candles"]
    values = [table[name].to_numpy() for name in ("max_rise_pct", "max_decline_pct", "end_change_pct")]
    np.testing.assert_array_equal(np.transpose(values), PREDICTIONS.values_pct)
    assert table["filled_candles"].to_pylist() == [3, 150]
    assert table["in_sample"].to_pylist() == in_sample
    assert json.loads(table.schema.metadata[b"model"]) == IDENTITY | {"version": model.version}


@pytest.mark.parametrize("suffix", [".json", ".parquet"])
def test_files_are_reproducible_and_have_the_message_id(model, suffix):
    first, second = (response_file(model, PREDICTIONS, suffix, "message-1") for _ in range(2))
    assert first == second
    assert source_message_id(first, suffix) == "message-1"


def parquet_of(metadata):
    sink = io.BytesIO()
    pq.write_table(pa.table({"open_time": [1]}).replace_schema_metadata(metadata), sink)
    return sink.getvalue()


@pytest.mark.parametrize("data", [b"", b"\xff", b"[" * 100_000, b"[]", b'{"messageId": 7}'], ids=lambda data: str(data[:20]))
def test_other_json_files_have_no_message_id(data):
    assert source_message_id(data, ".json") is None


@pytest.mark.parametrize("data", [b"PAR1PAR1", parquet_of({}), parquet_of({b"messageId": b"\xff"})], ids=["cut", "other", "not UTF-8"])
def test_other_parquet_files_have_no_message_id(data):
    assert source_message_id(data, ".parquet") is None
