import pytest

from coinfarm.candles.interval import interval_ms
from coinfarm.errors import RequestError

MINUTE_MS = 60_000


@pytest.mark.parametrize(
    ("interval", "minutes"),
    [
        ("1m", 1),
        ("3m", 3),
        ("5m", 5),
        ("15m", 15),
        ("30m", 30),
        ("90m", 90),
        ("1h", 60),
        ("4h", 240),
        ("12h", 720),
        ("24h", 1_440),
        ("1d", 1_440),
    ],
)
def test_an_interval_that_divides_a_day_is_known(interval: str, minutes: int) -> None:
    assert interval_ms(interval) == minutes * MINUTE_MS


@pytest.mark.parametrize(
    "interval",
    [
        pytest.param("7m", id="does not divide a day"),
        pytest.param("2d", id="longer than a day"),
        pytest.param("1w", id="a week"),
        pytest.param("1M", id="a month"),
        pytest.param("1s", id="a second"),
        pytest.param("0m", id="zero"),
        pytest.param("01m", id="leading zero"),
        pytest.param("-1m", id="negative"),
        pytest.param("1.5h", id="fraction"),
        pytest.param("1440", id="no unit"),
        pytest.param("m", id="no number"),
        pytest.param("", id="empty"),
        pytest.param("1m\n", id="line break"),
        pytest.param("9" * 400 + "m", id="very long"),
    ],
)
def test_any_other_is_refused_by_name(interval: str) -> None:
    with pytest.raises(RequestError, match=r"/interval: '.*' is no interval known here") as refused:
        interval_ms(interval)
    assert [fault.pointer for fault in refused.value.faults] == ["/interval"]
