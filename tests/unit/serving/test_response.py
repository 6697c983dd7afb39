"""Responses in JSON and Parquet."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coinfarm.prediction.model_manager import LoadedModel
from coinfarm.prediction.predictions import Predictions
from coinfarm.serving.response import frames_response, response_document, response_file, source_message_id
from tests.support.pixel_engine import PixelEngine, loaded

NAN = float("nan")
PREDICTIONS = Predictions(
    open_time=np.array([1_000, 2_000]),
    close_time=np.array([1_999, 2_999]),
    filled_candles=np.array([3, 150]),
    in_sample=np.array([True, False]),
    values_pct=np.array([[0.1, -0.2, 1 / 3], [NAN, NAN, NAN]]),
)
RESULTS = [
    {
        "openTime": 1_000,
        "closeTime": 1_999,
        "inSample": True,
        "filledCandles": 3,
        "predictions": {"maxRisePct": 0.1, "maxDeclinePct": -0.2, "endChangePct": 1 / 3},
    },
    {"openTime": 2_000, "closeTime": 2_999, "inSample": False, "filledCandles": 150, "predictions": None},
]


@pytest.fixture
def model(tmp_path: Path) -> LoadedModel:
    return loaded(tmp_path / "model", PixelEngine())


def identity(model: LoadedModel) -> dict[str, str]:
    return {"name": "fake", "version": model.version, "engine": "pixels"}


def test_json_document_and_file(model: LoadedModel) -> None:
    document = response_document(model, PREDICTIONS)
    assert document == {"model": identity(model), "results": RESULTS}
    assert json.loads(response_file(model, PREDICTIONS, ".json", "message-1")) == {"messageId": "message-1", **document}


def test_in_sample_may_be_unknown(model: LoadedModel) -> None:
    unknown = replace(PREDICTIONS, in_sample=None)
    assert [result["inSample"] for result in response_document(model, unknown)["results"]] == [None, None]
    table = pq.read_table(io.BytesIO(response_file(model, unknown, ".parquet", "message-1")))
    assert table["in_sample"].to_pylist() == [None, None]
    assert str(table.schema.field("in_sample").type) == "bool"


def test_frames_response_has_no_times(model: LoadedModel) -> None:
    (result,) = frames_response(model, np.array([[1.0, -2.0, 0.5]]))["results"]
    assert result.pop("predictions") == {"maxRisePct": 1.0, "maxDeclinePct": -2.0, "endChangePct": 0.5}
    assert result == dict.fromkeys(("openTime", "closeTime", "inSample", "filledCandles"))


def test_parquet_file(model: LoadedModel) -> None:
    table = pq.read_table(io.BytesIO(response_file(model, PREDICTIONS, ".parquet", "message-1")))
    assert {name: str(kind) for name, kind in zip(table.column_names, table.schema.types, strict=True)} == {
        "open_time": "int64",
        "close_time": "int64",
        "in_sample": "bool",
        "filled_candles": "int64",
        "max_rise_pct": "double",
        "max_decline_pct": "double",
        "end_change_pct": "double",
    }
    values = [table[name].to_numpy() for name in ("max_rise_pct", "max_decline_pct", "end_change_pct")]
    np.testing.assert_array_equal(np.transpose(values), PREDICTIONS.values_pct)
    assert table["filled_candles"].to_pylist() == [3, 150]
    assert json.loads(table.schema.metadata[b"model"]) == identity(model)


@pytest.mark.parametrize("ending", [".json", ".parquet"])
def test_files_are_reproducible_and_have_the_message_id(model: LoadedModel, ending: str) -> None:
    first, second = (response_file(model, PREDICTIONS, ending, "message-1") for _ in range(2))
    assert first == second
    assert source_message_id(first, ending) == "message-1"


def parquet_of(metadata: dict[bytes, bytes]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"open_time": [1]}).replace_schema_metadata(metadata), sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("data", "ending"),
    [
        pytest.param(b"", ".json", id="empty JSON"),
        pytest.param(b"\xff", ".json", id="not UTF-8"),
        pytest.param(b"[" * 100_000, ".json", id="JSON nested too deep"),
        pytest.param(b"[]", ".json", id="JSON array"),
        pytest.param(b'{"messageId": 7}', ".json", id="a number as id"),
        pytest.param(b"PAR1PAR1", ".parquet", id="Parquet without a footer"),
        pytest.param(parquet_of({}), ".parquet", id="other Parquet"),
        pytest.param(parquet_of({b"messageId": b"\xff"}), ".parquet", id="an id that is not UTF-8"),
    ],
)
def test_other_files_have_no_message_id(data: bytes, ending: str) -> None:
    assert source_message_id(data, ending) is None
