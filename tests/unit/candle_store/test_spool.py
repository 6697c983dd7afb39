"""Candles in a temporary file."""

import errno
import os
import tempfile
from pathlib import Path

import pytest

from coinfarm.candle_store.spool import CandleSpool
from coinfarm.candles.day import by_day
from tests.support.synthetic_candles import assert_same_candles, minutes

CANDLES = minutes(3 * 1440, missing=[0, 700, 1439, 1440, 4319])


@pytest.mark.parametrize("part", [100, 1438, 1439, 5000])
def test_days_are_those_of_the_candles_whatever_the_parts(part: int, tmp_path: Path) -> None:
    with (tmp_path / "spool").open("w+b") as file:
        spool = CandleSpool(file)
        for start in range(0, len(CANDLES), part):
            spool.append(CANDLES[start : start + part])
        days = list(spool.days())
    assert (len(spool), spool.day_count) == (len(CANDLES), 3)
    assert len(days) == 3
    for day, expected in zip(days, by_day(CANDLES), strict=True):
        assert_same_candles(day, expected)


def test_a_full_disk_is_an_error_that_names_the_folder_of_temporary_files() -> None:
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as raised, Path("/dev/full").open("wb", buffering=0) as file:
        CandleSpool(file).append(CANDLES)
    assert (raised.value.errno, raised.value.filename) == (errno.ENOSPC, tempfile.gettempdir())
