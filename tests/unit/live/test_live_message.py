"""The JSON of a live prediction."""

import json

from coinfarm.live.live_message import live_messages, message_line
from coinfarm.live.live_rows import live_rows
from tests.support.synthetic_candles import MINUTE_MS, START_MS

ROW = {
    "symbol": "BTCUSDT",
    "open_time": START_MS,
    "close_time": START_MS + MINUTE_MS - 1,
    "open": 7000.0,
    "high": 7010.0,
    "low": 6990.0,
    "close": 7005.0,
    "volume": 1.5,
    "filled": False,
    "filled_candles": 3,
}
PREDICTION = {
    "model_version": "v1",
    "predicted_at": START_MS + MINUTE_MS + 50,
    "in_sample": False,
    "max_rise_pct": 0.5,
    "max_decline_pct": -0.4,
    "end_change_pct": 0.1,
}


def messages(feed, *rows, further=()):
    return [json.loads(message_line(each)) for each in live_messages(feed, live_rows(rows, further))]


def test_has_the_fields_of_a_result_and_names_candle_and_model(feed):
    (message,) = messages(feed, ROW | PREDICTION)
    assert message == {
        "exchange": "binanceus",
        "symbol": "BTCUSDT",
        "interval": "1m",
        "candle": {
            "openTime": START_MS,
            "closeTime": START_MS + MINUTE_MS - 1,
            "open": 7000.0,
            "high": 7010.0,
            "low": 6990.0,
            "close": 7005.0,
            "volume": 1.5,
            "filled": False,
            "correctedAt": None,
        },
        "modelVersion": "v1",
        "predictedAt": START_MS + MINUTE_MS + 50,
        "openTime": START_MS - 199 * MINUTE_MS,
        "closeTime": START_MS + MINUTE_MS - 1,
        "inSample": False,
        "filledCandles": 3,
        "predictions": {"maxRisePct": 0.5, "maxDeclinePct": -0.4, "endChangePct": 0.1},
    }


def test_a_missing_prediction_is_null(feed):
    (message,) = messages(feed, ROW)
    assert [message[name] for name in ("predictions", "modelVersion", "predictedAt", "inSample")] == [None] * 4


def test_has_all_horizons_of_its_own_model_only(feed):
    further = {"max_rise_pct_h100": 2.0, "max_decline_pct_h100": -1.0, "end_change_pct_h100": 0.0}
    first, second = messages(feed, ROW | PREDICTION | further, ROW | PREDICTION, further=[100])
    assert first["predictions"]["maxRisePctH100"] == 2.0
    assert set(second["predictions"]) == {"maxRisePct", "maxDeclinePct", "endChangePct"}
