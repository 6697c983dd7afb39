"""Shards: their days, windows and keys."""

from datetime import date, timedelta

import pytest

from coinfarm.backfill.shard import Shard, days_per_shard, shards_between
from tests.support.candle_stores import FIRST_DAY, FIRST_MS

MINUTES_PER_DAY = 1440


@pytest.mark.parametrize(
    ("stride", "first", "count"),
    [
        pytest.param(1, 0, MINUTES_PER_DAY, id="every minute"),
        pytest.param(60, 59, 24, id="closing on the hour"),
        pytest.param(MINUTES_PER_DAY, MINUTES_PER_DAY - 1, 1, id="closing at midnight"),
        # 2026 begins 29,453,760 minutes after the epoch, and 29,453,760 % 11 is 6
        pytest.param(11, 4, 131, id="not dividing the day"),
        pytest.param(10_000, 6239, 0, id="more than a day"),
    ],
)
def test_stride_counts_from_the_epoch(stride: int, first: int, count: int) -> None:
    shard = Shard("DEMOUSD", "1m", FIRST_DAY, stride)
    assert (shard.first_window_end(shard.start_ms) - FIRST_MS) // 60_000 == first
    assert shard.window_count == count


@pytest.mark.parametrize(("interval", "days"), [("1m", 1), ("5m", 5), ("15m", 15), ("1h", 60), ("4h", 240), ("1d", 1440)])
def test_shard_has_as_many_windows_as_a_day_of_minutes(interval: str, days: int) -> None:
    (shard, *_) = shards_between("BTCUSD", interval, date(1970, 1, 1), date(2020, 1, 1), 1, days_per_shard(interval))
    assert (shard.days, shard.window_count) == (days, 1440)


def test_runs_over_other_dates_share_inner_shards() -> None:
    def keys(first: date, stop: date) -> list[str]:
        return [shard.key("v") for shard in shards_between("BTCUSD", "1h", first, stop, 1, 60)]

    long, short = keys(date(2025, 1, 1), date(2026, 1, 1)), keys(date(2025, 3, 3), date(2025, 12, 3))
    assert short[1:-1] == [key for key in long if key in short]
    assert len(short) == 5 + 1
    days = [day for shard in shards_between("BTCUSD", "1h", date(2025, 1, 10), date(2025, 7, 1), 1, 60) for day in shard.each_day()]
    assert days == [date(2025, 1, 10) + timedelta(number) for number in range(172)], "every day once"


def test_keys_have_the_stride_and_the_dates() -> None:
    strided, long = Shard("DEMOUSD", "1m", FIRST_DAY, 60), Shard("DEMOUSD", "1h", FIRST_DAY, days=60)
    assert strided.key("v") == "predictions/model=v/stride=60/symbol=DEMOUSD/interval=1m/date=2026-01-01.parquet"
    assert long.key("v") == "predictions/model=v/symbol=DEMOUSD/interval=1h/date=2026-01-01--2026-03-02.parquet"
    assert long.failure_key("v") == "failures/model=v/symbol=DEMOUSD/interval=1h/date=2026-01-01--2026-03-02.json"
