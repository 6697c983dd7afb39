import pytest

from coinfarm.candles.interval import interval_ms, interval_name
from coinfarm.errors import InvalidInput

MINUTE_MS = 60_000


@pytest.mark.parametrize(
    ("interval", "minutes", "shortest"),
    [
        ("1m", 1, "1m"),
        ("90m", 90, "90m"),
        ("60m", 60, "1h"),
        ("1h", 60, "1h"),
        ("12h", 720, "12h"),
        ("720m", 720, "12h"),
        ("24h", 1_440, "1d"),
        ("1d", 1_440, "1d"),
    ],
)
def test_an_interval_that_divides_a_day_is_known(interval: str, minutes: int, shortest: str) -> None:
    assert interval_ms(interval) == minutes * MINUTE_MS
    assert interval_name(minutes * MINUTE_MS) == shortest


@pytest.mark.parametrize(
    "interval", ["7m", "2d", "1w", "1M", "1s", "0m", "01m", "-1m", "1.5h", "1440m", "1440", "m", "", "1m\n", 99 * "9" + "m"]
)
def test_rejects_any_other_interval(interval: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        interval_ms(interval)
    assert [error.pointer for error in raised.value.errors] == ["/interval"]


@pytest.mark.parametrize("step_ms", [0, -MINUTE_MS, 1, MINUTE_MS // 2, 90_000, 7 * MINUTE_MS, 2 * 1_440 * MINUTE_MS])
def test_rejects_any_other_step(step_ms: int) -> None:
    with pytest.raises(InvalidInput) as raised:
        interval_name(step_ms)
    assert [error.pointer for error in raised.value.errors] == ["/interval"]
