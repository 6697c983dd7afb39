import threading
import time

import pytest

from coinfarm.errors import CoinfarmError, Unavailable
from coinfarm.live import delivery
from coinfarm.live.delivery import Delivery
from coinfarm.live.live_message import EXAMPLE_MESSAGE

CLOSE_MS = EXAMPLE_MESSAGE["closeTime"]


def message(number, delay_s=0.05, **fields):
    return EXAMPLE_MESSAGE | {"symbol": f"S{number}", "predictedAt": CLOSE_MS + int(delay_s * 1000)} | fields


class Endpoint:
    """Keeps what it gets; raises the `failures` first."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.batches = []
        self.is_open = threading.Event()
        self.is_open.set()

    def __call__(self, messages):
        self.is_open.wait(10)
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append([each["symbol"] for each in messages])

    @property
    def received(self):
        return [symbol for batch in self.batches for symbol in batch]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(delivery, "_FIRST_PAUSE_S", 0.01)


@pytest.fixture
def notices():
    return []


def test_sends_in_order(notices):
    endpoint = Endpoint()
    deliver = Delivery("webhook", endpoint, notices.append)
    deliver.show([message(number) for number in range(20)])
    deliver.close()
    assert endpoint.batches == [[f"S{number}"] for number in range(20)]
    assert "20 predictions sent, 0 dropped" in notices[-1]


def test_sends_in_batches(notices):
    endpoint = Endpoint()
    endpoint.is_open.clear()
    deliver = Delivery("SNS", endpoint, notices.append, max_messages=10)
    deliver.show([message(0)])
    time.sleep(0.05)
    deliver.show([message(number) for number in range(1, 13)])
    endpoint.is_open.set()
    deliver.close()
    assert [len(batch) for batch in endpoint.batches] == [1, 10, 2]


def test_a_slow_endpoint_delays_nobody(notices):
    endpoint = Endpoint()
    endpoint.is_open.clear()
    deliver = Delivery("webhook", endpoint, notices.append)
    started = time.monotonic()
    for number in range(1_500):
        deliver.show([message(number)])
    assert time.monotonic() - started < 1
    endpoint.is_open.set()
    deliver.close()
    assert endpoint.received[-1] == "S1499"
    assert deliver.sent + deliver.dropped == 1_500
    assert 490 <= deliver.dropped <= 500, "the oldest"


def test_repeats_what_was_not_accepted_and_keeps_the_order(notices):
    endpoint = Endpoint(*[Unavailable("bot answers with HTTP 503")] * 3)
    deliver = Delivery("webhook", endpoint, notices.append)
    deliver.show([message(1), message(2)])
    while len(endpoint.received) < 2:
        time.sleep(0.01)
    deliver.close()
    assert endpoint.received == ["S1", "S2"]
    assert sum("HTTP 503" in notice for notice in notices) == 1
    assert sum("accepted again" in notice for notice in notices) == 1


def test_drops_what_is_rejected(notices):
    endpoint = Endpoint(CoinfarmError("bot answers with HTTP 400"))
    deliver = Delivery("webhook", endpoint, notices.append)
    deliver.show([message(1), message(2)])
    deliver.close()
    assert endpoint.received == ["S2"]
    assert "1 prediction sent, 1 dropped" in notices[-1]


def test_does_not_send_predictions_that_are_too_late(notices):
    endpoint = Endpoint()
    deliver = Delivery("webhook", endpoint, notices.append)
    deliver.show([message(1, delay_s=61), message(2, delay_s=59), message(3, predictions=None, predictedAt=None)])
    deliver.close()
    assert endpoint.received == ["S2"]
    assert deliver.dropped == 1


def test_drops_what_becomes_too_late_while_the_endpoint_fails(notices):
    endpoint = Endpoint(*[Unavailable("down")] * 50)
    deliver = Delivery("webhook", endpoint, notices.append)
    deliver.show([message(1, delay_s=59.8)])
    time.sleep(0.3)
    deliver.show([message(2)])
    endpoint.failures.clear()
    deliver.close()
    assert endpoint.received == ["S2"]


def test_close_does_not_wait_for_an_endpoint_that_is_down(notices):
    deliver = Delivery("webhook", Endpoint(*[Unavailable("down")] * 1000), notices.append)
    deliver.show([message(1)])
    started = time.monotonic()
    deliver.close()
    assert time.monotonic() - started < 2
    assert "0 predictions sent, 1 dropped" in notices[-1]
