import threading

import pytest

from coinfarm.live.outages import Outages, Stopped


@pytest.fixture
def notices():
    return []


@pytest.fixture
def outages(notices, monkeypatch):
    outages = Outages("binanceus", notices.append)
    monkeypatch.setattr(outages._stopped, "wait", lambda seconds: outages._stopped.is_set())
    return outages


def test_says_once_that_an_exchange_does_not_respond_and_that_it_does_again(outages, notices):
    for seconds in (1, 2, 4, 60):
        outages.wait(seconds, "HTTP 503")
    outages.note_response()
    outages.note_response()
    outages.wait(3 * 86_400, "HTTP 418")
    first, second, third = notices
    assert "72 h" in third
    assert "HTTP 503" in first
    assert "does not respond since" in first
    assert "responds again" in second


def test_a_single_failure_is_not_worth_a_message(outages, notices):
    outages.wait(1, "HTTP 503")
    outages.note_response()
    assert notices == []


def test_stop_ends_a_wait():
    outages = Outages("binanceus", lambda _: None)
    threading.Timer(0.05, outages.stop).start()
    with pytest.raises(Stopped):
        outages.wait(60, "HTTP 429")
