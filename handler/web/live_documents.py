"""Rows of the live store as JSON."""

from typing import Any

from coinfarm.live.live_rows import CANDLE_COLUMNS, has_prediction
from coinfarm.live.live_store import LiveFeed
from coinfarm.outputs import OUTPUT_COLUMNS, OUTPUT_NAMES, further_horizons_of, output_columns


def live_document(feed: LiveFeed, row: dict[str, Any]) -> dict[str, Any]:
    """A closed candle and its prediction, whose names are those of the API's results. Without a prediction `predictions` is null."""
    values = {name: row[name] for name in CANDLE_COLUMNS}
    times = {"openTime": row["open_time"], "closeTime": row["close_time"]}
    document = {
        "exchange": feed.exchange,
        "interval": feed.interval,
        "symbol": row["symbol"],
        "candle": {**times, **values, "filled": row["filled"], "correctedAt": row["corrected_at"]},
        "modelVersion": row["model_version"],
        "predictedAt": row["predicted_at"],
        "inSample": row["in_sample"],
        "filledCandles": row["filled_candles"],
        "predictions": _outputs(row, OUTPUT_COLUMNS) if has_prediction(row) else None,
    }
    further = further_horizons_of(tuple(row))
    if further and has_prediction(row):
        columns = output_columns(further)[len(OUTPUT_COLUMNS) :]
        step = len(OUTPUT_COLUMNS)
        document["horizons"] = {str(each): _outputs(row, columns[step * at : step * at + step]) for at, each in enumerate(further)}
    return document


def _outputs(row: dict[str, Any], columns: tuple[str, ...]) -> dict[str, float] | None:
    """Null for a horizon that the model of this row does not have."""
    values = [row[column] for column in columns]
    return dict(zip(OUTPUT_NAMES, values, strict=True)) if values[0] == values[0] else None
