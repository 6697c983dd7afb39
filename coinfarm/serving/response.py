"""Responses in JSON and Parquet."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from coinfarm.outputs import OUTPUT_NAMES, output_columns
from coinfarm.prediction.model_scope import ModelScope
from coinfarm.prediction.predictions import Predictions

if TYPE_CHECKING:
    from coinfarm.candles.arrays import Values
    from coinfarm.prediction.model_manager import LoadedModel

MESSAGE_ID = "messageId"


def model_identity(model: "LoadedModel") -> dict[str, str]:
    """The model and engine of a response."""
    manifest = model.bundle.manifest
    return {"name": manifest.name, "version": manifest.version, "engine": model.engine.name}


def json_chunks(model: "LoadedModel", parts: "Iterable[Predictions]") -> Iterator[str]:
    """The JSON response for all parts together, in consecutive chunks, each as soon as its part is predicted."""
    yield f'{{"model": {json.dumps(model_identity(model))}, "results": ['
    separator = ""
    for part in parts:
        yield separator + json.dumps(response_document(model, part)["results"])[1:-1]
        separator = ", "
    yield "]}\n"


def response_document(model: "LoadedModel", predictions: Predictions) -> dict[str, Any]:
    """The response as a JSON object, with one result per window in order. Missing predictions are null."""
    values = predictions.values_pct.tolist()
    rows = zip(
        predictions.open_time.tolist(),
        predictions.close_time.tolist(),
        [None] * len(predictions) if predictions.in_sample is None else predictions.in_sample.tolist(),
        predictions.filled_candles.tolist(),
        values,
        strict=True,
    )
    results = [
        {
            "openTime": open_time,
            "closeTime": close_time,
            "inSample": in_sample,
            "filledCandles": filled_candles,
            "predictions": None if math.isnan(values_pct[0]) else dict(zip(OUTPUT_NAMES, values_pct, strict=False)),
        }
        for open_time, close_time, in_sample, filled_candles, values_pct in rows
    ]
    return {"model": model_identity(model), "results": _with_horizons(results, values, model.bundle.manifest.horizons)}


def frames_response(model: "LoadedModel", values_pct: "Values") -> dict[str, Any]:
    """The response for pre-rendered frames, whose times are unknown."""
    unknown = dict.fromkeys(("openTime", "closeTime", "inSample", "filledCandles"))
    values = values_pct.tolist()
    results = [{**unknown, "predictions": dict(zip(OUTPUT_NAMES, row, strict=False))} for row in values]
    return {"model": model_identity(model), "results": _with_horizons(results, values, model.bundle.manifest.horizons)}


def _with_horizons(results: list[dict[str, Any]], values: list[list[float]], horizons: tuple[int, ...]) -> list[dict[str, Any]]:
    """The results; with the predictions by horizon, if there are several."""
    if len(horizons) > 1:
        count = len(OUTPUT_NAMES)
        for result, row in zip(results, values, strict=True):
            by_horizon = {str(each): dict(zip(OUTPUT_NAMES, row[count * at :], strict=False)) for at, each in enumerate(horizons)}
            result["horizons"] = None if result["predictions"] is None else by_horizon
    return results


def predicted_at(result: Mapping[str, Any], horizon_candles: int | None) -> dict[str, float] | None:
    """The predictions of a result at one of several horizons, or None if there are none; without a horizon, those of the first."""
    by_horizon = result.get("horizons")
    predicted: dict[str, float] | None = result["predictions"]
    return predicted if horizon_candles is None or by_horizon is None else by_horizon[str(horizon_candles)]


def response_file(model: "LoadedModel", predictions: Predictions, suffix: str, message_id: str) -> bytes:
    """The response as a `.json` or `.parquet` file, which contains the id of its message."""
    if suffix == ".json":
        return json.dumps({MESSAGE_ID: message_id, **response_document(model, predictions)}).encode()
    import pyarrow as pa
    import pyarrow.parquet as pq

    metadata = {MESSAGE_ID.encode(): message_id.encode(), b"model": json.dumps(model_identity(model)).encode()}
    metadata |= ModelScope.of(model.bundle.manifest).metadata()
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(prediction_columns(predictions)).replace_schema_metadata(metadata), sink, compression="zstd")
    return bytes(sink.getvalue())


def prediction_columns(predictions: Predictions) -> dict[str, Any]:
    """The columns of a Parquet file of predictions, with a row per window. Missing predictions are NaN."""
    import pyarrow as pa

    return {
        "open_time": predictions.open_time,
        "close_time": predictions.close_time,
        "in_sample": pa.nulls(len(predictions), pa.bool_()) if predictions.in_sample is None else predictions.in_sample,
        "filled_candles": predictions.filled_candles,
        **dict(zip(output_columns(predictions.further_horizons), predictions.values_pct.T, strict=True)),
    }


def source_message_id(data: bytes, suffix: str) -> str | None:
    """The id of the message to which a file is the response; None for other files."""
    if suffix == ".json":
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            return None
        found = document.get(MESSAGE_ID) if isinstance(document, dict) else None
        return found if isinstance(found, str) else None
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata: dict[bytes, bytes] = pq.read_schema(pa.BufferReader(data)).metadata or {}
        return metadata[MESSAGE_ID.encode()].decode()
    except (pa.ArrowException, OSError, UnicodeDecodeError, KeyError):
        return None
