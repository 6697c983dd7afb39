import pytest

from coinfarm.candles.interval import canonical_interval, canonical_intervals, interval_ms, interval_name, interval_spellings
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
        ("1440m", 1_440, "1d"),
        ("1H", 60, "1h"),
        ("1D", 1_440, "1d"),
    ],
)
def test_an_interval_that_divides_a_day_is_known(interval: str, minutes: int, shortest: str) -> None:
    assert interval_ms(interval) == minutes * MINUTE_MS
    assert interval_name(minutes * MINUTE_MS) == shortest
    assert canonical_interval(interval) == shortest


@pytest.mark.parametrize(
    "interval", ["7m", "2d", "1w", "1M", "1s", "0m", "01m", "-1m", "1.5h", "2880m", "1440", "m", "", "1m\n", 99 * "9" + "m"]
)
def test_rejects_any_other_interval(interval: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        canonical_interval(interval)
    assert [error.pointer for error in raised.value.errors] == ["/interval"]


@pytest.mark.parametrize("step_ms", [0, -MINUTE_MS, 1, MINUTE_MS // 2, 90_000, 7 * MINUTE_MS, 2 * 1_440 * MINUTE_MS])
def test_rejects_any_other_step(step_ms: int) -> None:
    with pytest.raises(InvalidInput) as raised:
        interval_name(step_ms)
    assert [error.pointer for error in raised.value.errors] == ["/interval"]


def test_several_intervals_are_ordered_and_each_is_one():
    assert canonical_intervals(["1d", "60m", "5m", "1h", "24h"]) == ("5m", "1h", "1d")


@pytest.mark.parametrize(("interval", "spellings"), [("1m", ["1m"]), ("60m", ["1h", "60m"]), ("1D", ["1d", "24h"]), ("90m", ["90m"])])
def test_lists_the_spellings_of_stored_candles(interval, spellings):
    assert list(interval_spellings(interval)) == spellings
