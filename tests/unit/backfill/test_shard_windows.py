"""The windows of a shard are those of a single prediction over the complete history."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from coinfarm.backfill.shard import Shard, shards_between
from coinfarm.backfill.shard_windows import ShardWindows, day_files_per_shard, read_shard_windows
from coinfarm.candle_store.snapshot import CandleStoreSnapshot
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import day_of
from coinfarm.candles.gaps import fill_gaps
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from tests.support.candle_stores import FIRST_DAY, days_of, stored, synthetic_history

DAY = 1440


def rows(predictor: Predictor, series: Series) -> tuple[NDArray[np.int64], ...]:
    """The ends, numbers of filled candles and predictions of the windows of a series."""
    found = predictor.predict(series)
    return found.close_time + 1 - series.candles.interval_ms, found.filled_candles, found.values_pct


HISTORIES = {
    "no gaps": synthetic_history(3),
    "a gap in a day": synthetic_history(3, missing=range(DAY + 300, DAY + 420)),
    "single minutes missing": synthetic_history(3, missing=range(7, 3 * DAY - 1, 11)),
    "a gap across midnight": synthetic_history(3, missing=range(2 * DAY - 30, 2 * DAY + 50)),
    "a gap from midnight": synthetic_history(3, missing=range(2 * DAY, 2 * DAY + 70)),
    "a gap until midnight": synthetic_history(3, missing=range(2 * DAY - 70, 2 * DAY)),
    "a gap that begins before the first window": synthetic_history(3, missing=range(2 * DAY - 260, 2 * DAY - 150)),
    "a gap over more than a day": synthetic_history(4, missing=range(DAY - 50, 3 * DAY - 110)),
    "a day without candles": synthetic_history(4, missing=range(2 * DAY, 3 * DAY)),
    "a day with one candle": synthetic_history(4, missing=[at for at in range(DAY, 2 * DAY) if at != DAY + 700]),
    "a start in the middle of a day": synthetic_history(3, start=700),
    "a start shortly before midnight": synthetic_history(3, start=DAY - 50),
    "an end in the middle of a day": synthetic_history(3)[: 2 * DAY + 500],
    "hours": synthetic_history(12, interval="1h"),
    "hours with gaps": synthetic_history(20, interval="1h", missing=[*range(9, 200, 7), *range(230, 260), *range(300, 302)]),
    "four hours": synthetic_history(36, interval="4h", start=2, missing=[77, 78]),
}


CASES = [(name, 1, 1) for name in HISTORIES]
CASES += [(name, stride, 1) for name in ("a day with one candle", "hours with gaps") for stride in (7, 60)]
CASES += [(name, 1, 7) for name in ("hours", "hours with gaps", "four hours")]


@pytest.mark.parametrize(("name", "stride", "shard_days"), CASES)
def test_windows_equal_those_of_a_single_prediction(name: str, stride: int, shard_days: int, predictor: Predictor, tmp_path: Path) -> None:
    history = HISTORIES[name]
    ends, filled, values = rows(predictor, Series(fill_gaps(history, 100_000)))
    days = days_of(history)
    with_candles = {day_of(int(time)) for time in history.open_time}
    is_requested = ((ends // history.interval_ms + 1) % stride == 0) & [day_of(int(end)) in with_candles for end in ends]

    store = CandleStoreSnapshot(stored(tmp_path / "store", history))
    shards = list(shards_between(history.symbol, history.interval, days[0], days[-1] + timedelta(1), stride, shard_days))
    found = [read_shard_windows(shard, store) for shard in shards]
    parts = [rows(predictor, windows.series) for windows in found if windows.series]

    for expected, part in zip((ends, filled, values), zip(*parts, strict=True), strict=True):
        np.testing.assert_array_equal(np.concatenate(part), expected[is_requested])
    for shard, windows in zip(shards, found, strict=True):
        assert shard.window_count == windows.no_candles + windows.too_few_before + (len(windows.series) if windows.series else 0)


def test_each_day_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = synthetic_history(230, interval="1d")
    storage = stored(tmp_path / "store", history)
    read: list[str] = []
    original = storage.read
    monkeypatch.setattr(storage, "read", lambda key, *rest: (read.append(key), original(key, *rest))[1])
    (shard,) = shards_between("DEMOUSD", "1d", days_of(history)[215], days_of(history)[-1] + timedelta(1), 1, 1440)
    windows = read_shard_windows(shard, CandleStoreSnapshot(storage))
    assert windows.series is not None
    assert (len(windows.series), len(read), len(set(read))) == (15, 214, 214)
    assert day_files_per_shard("1d", shard.days) == 214


@pytest.mark.parametrize(
    ("history", "day", "series", "no_candles", "too_few_before"),
    [
        pytest.param(synthetic_history(2), 0, DAY - 199, 0, 199, id="first day"),
        pytest.param(synthetic_history(2), 1, DAY, 0, 0, id="another day"),
        pytest.param(synthetic_history(2, start=500), 0, DAY - 500 - 199, 500, 199, id="start in the day"),
        pytest.param(synthetic_history(2, start=DAY - 100), 0, 0, DAY - 100, 100, id="start too late for a window"),
        pytest.param(synthetic_history(2, start=DAY - 100), 1, DAY - 99, 0, 99, id="start on the day before"),
        pytest.param(synthetic_history(2)[: DAY + 20], 1, 20, DAY - 20, 0, id="end in the day"),
        pytest.param(synthetic_history(2), 2, 0, DAY, 0, id="day after the end"),
        pytest.param(synthetic_history(2, start=DAY), 0, 0, DAY, 0, id="day before the start"),
        pytest.param(synthetic_history(3, missing=range(DAY, 2 * DAY)), 1, 0, DAY, 0, id="day without candles"),
    ],
)
def test_every_requested_window_is_accounted_for(
    history: Candles, day: int, series: int, no_candles: int, too_few_before: int, tmp_path: Path
) -> None:
    windows = read_shard_windows(Shard("DEMOUSD", "1m", FIRST_DAY + timedelta(day)), CandleStoreSnapshot(stored(tmp_path, history)))
    assert (len(windows.series) if windows.series else 0) == series
    assert windows == ShardWindows(windows.series, no_candles, too_few_before)
