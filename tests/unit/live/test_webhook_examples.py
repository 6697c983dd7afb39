"""The templates in examples/webhooks: a signal becomes what each bot takes, and other predictions are not sent."""

import json
from datetime import datetime
from typing import Any

import pytest

from coinfarm.live.live_message import EXAMPLE_MESSAGE
from coinfarm.live.webhook import BodyTemplate
from tests.support.repository import ROOT

FOLDER = ROOT / "examples/webhooks"
SIGNAL = {**EXAMPLE_MESSAGE, "predictions": {"maxRisePct": 0.8, "maxDeclinePct": -0.4, "endChangePct": 0.1}}
RISKY = {**SIGNAL, "predictions": {"maxRisePct": 0.8, "maxDeclinePct": -0.7, "endChangePct": 0.1}}
FILLED = {**SIGNAL, "filledCandles": 1}


def rendered(name: str, message: dict[str, Any]) -> str:
    return BodyTemplate((FOLDER / name).read_text()).body(message)


def milliseconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp() * 1000


def test_every_template_is_tested() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {"alert.json.j2", "3commas.json.j2", "hummingbot.json.j2"}


def test_an_alert() -> None:
    body = json.loads(rendered("alert.json.j2", SIGNAL))
    assert milliseconds(body.pop("time")) == SIGNAL["candle"]["closeTime"]
    assert body == {"action": "buy", "exchange": "BINANCEUS", "ticker": "BTCUSDT", "interval": "1m", "price": SIGNAL["candle"]["close"]}


def test_a_signal_for_3commas_has_only_documented_fields() -> None:
    body = json.loads(rendered("3commas.json.j2", SIGNAL))
    assert milliseconds(body["timestamp"]) == SIGNAL["predictedAt"]
    assert (body["action"], body["tv_instrument"], float(body["trigger_price"])) == ("enter_long", "BTCUSDT", SIGNAL["candle"]["close"])
    assert body.keys() == {"secret", "bot_uuid", "action", "tv_exchange", "tv_instrument", "trigger_price", "timestamp", "max_lag"}


@pytest.mark.parametrize("name", ["alert.json.j2", "3commas.json.j2"])
@pytest.mark.parametrize("message", [EXAMPLE_MESSAGE, RISKY, FILLED], ids=["small", "risky", "filled"])
def test_other_predictions_are_no_signals(name: str, message: dict[str, Any]) -> None:
    assert rendered(name, message) == ""


@pytest.mark.parametrize("message", [SIGNAL, EXAMPLE_MESSAGE])
def test_hummingbot_gets_every_prediction_as_an_event(message: dict[str, Any]) -> None:
    body = json.loads(rendered("hummingbot.json.j2", message))
    assert body["topic"].endswith("/external/event/coinfarm")
    event = json.loads(body["payload"])
    assert event.keys() == {"timestamp", "type", "data"}
    assert event["timestamp"] == message["predictedAt"]
    assert event["data"].items() <= message.items()
    assert event["data"]["predictions"] == message["predictions"]
