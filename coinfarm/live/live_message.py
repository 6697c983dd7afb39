"""A live prediction as JSON: a line of `coinfarm watch --json`, the body of a webhook, an SNS message, a server-sent event."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from coinfarm.candles.interval import interval_ms
from coinfarm.live.live_rows import CANDLE_COLUMNS, has_prediction
from coinfarm.live.live_series import CONTEXT_CANDLES
from coinfarm.live.live_store import LiveFeed
from coinfarm.outputs import further_horizons_of, output_columns, output_names

if TYPE_CHECKING:
    import pyarrow as pa

EXAMPLE_MESSAGE: dict[str, Any] = {
    "exchange": "binanceus",
    "symbol": "BTCUSDT",
    "interval": "1m",
    "candle": {
        "openTime": 1_767_225_600_000,
        "closeTime": 1_767_225_659_999,
        "open": 90_000.0,
        "high": 90_010.0,
        "low": 89_990.0,
        "close": 90_005.0,
        "volume": 1.5,
        "filled": False,
        "correctedAt": None,
    },
    "modelVersion": "0000000000000000",
    "predictedAt": 1_767_225_660_050,
    "openTime": 1_767_213_660_000,
    "closeTime": 1_767_225_659_999,
    "inSample": False,
    "filledCandles": 0,
    "predictions": {"maxRisePct": 0.1, "maxDeclinePct": -0.1, "endChangePct": 0.01},
}


def live_messages(feed: LiveFeed, rows: "pa.Table") -> Iterator[dict[str, Any]]:
    """One message for each row of a live store."""
    further = further_horizons_of(tuple(rows.column_names))
    names = dict(zip(output_columns(further), output_names(further), strict=True))
    for row in rows.to_pylist():
        yield _message(feed, row, names)


def _message(feed: LiveFeed, row: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """The fields of a result of the API, of which the times are those of the window, and what identifies candle and model."""
    times = {"openTime": row["open_time"], "closeTime": row["close_time"]}
    predicted = {names[column]: row[column] for column in names if row[column] == row[column]}  # without NaN: a horizon of another model
    return {
        "exchange": feed.exchange,
        "symbol": row["symbol"],
        "interval": feed.interval,
        "candle": {**times, **{name: row[name] for name in CANDLE_COLUMNS}, "filled": row["filled"], "correctedAt": row["corrected_at"]},
        "modelVersion": row["model_version"],
        "predictedAt": row["predicted_at"],
        "openTime": row["open_time"] - CONTEXT_CANDLES * interval_ms(feed.interval),
        "closeTime": row["close_time"],
        "inSample": row["in_sample"],
        "filledCandles": row["filled_candles"],
        "predictions": predicted if has_prediction(row) else None,
    }


def message_line(message: dict[str, Any]) -> str:
    """A message in one line of JSON."""
    return json.dumps(message, separators=(", ", ": "))
