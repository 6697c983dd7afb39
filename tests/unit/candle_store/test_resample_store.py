from collections import Counter

import pytest

from coinfarm.candle_store.resample_store import resample_store
from coinfarm.candle_store.store import CandleStore, WriteOutcome
from coinfarm.candles.candles import Candles
from coinfarm.candles.day import by_day
from coinfarm.candles.resampled_candles import resample
from coinfarm.errors import InvalidInput, NotFound
from tests.support.synthetic_candles import assert_same_candles, minutes

INTERVALS = ["5m", "1h", "1d"]


def write(store: CandleStore, candles: Candles) -> None:
    """As an import does: the days of the first and last candle are known in part."""
    start_ms, stop_ms = int(candles.open_time[0]), int(candles.open_time[-1]) + candles.interval_ms
    for day in by_day(candles):
        store.write_day(day, known_from_ms=start_ms, known_to_ms=stop_ms)


def test_stores_complete_candles_of_each_symbol_and_interval(store: CandleStore) -> None:
    series = [minutes(3 * 1440 + 700, missing=range(1400, 2900), symbol=symbol) for symbol in ("DEMOA", "DEMOB")]
    for candles in series:
        write(store, candles)
    shown: list[tuple[int, int]] = []
    outcomes = resample_store(store, ["demoa", "DEMOB"], "1m", ["1d", "60m", "5m"], progress=lambda *done: shown.append(done))
    names = [(symbol, interval) for symbol in ("DEMOA", "DEMOB") for interval in INTERVALS]
    assert [(each.symbol, each.interval) for each in outcomes] == names
    assert shown == [(done, 6) for done in range(1, 7)]
    for candles in series:
        for interval in INTERVALS:
            assert_same_candles(store.read(candles.symbol, interval), resample(candles, interval))
    assert [each.candles for each in outcomes[:3]] == [len(resample(series[0], interval)) for interval in INTERVALS]
    assert [each.incomplete for each in outcomes[:3]] == [(1440 - 700) // 5, 13, 1]
    assert [day.day for day in store.read_each_day("DEMOA", "1h", store.days("DEMOA", "1h")) if not day.is_complete] == [
        store.days("DEMOA", "1m")[-1]
    ]


def test_a_second_call_adds_only_what_is_new(store: CandleStore) -> None:
    candles = minutes(2 * 1440 + 90)
    write(store, candles[: 1440 + 90])
    assert [each.days for each in resample_store(store, ["DEMOUSD"], "1m", ["1h"])] == [Counter({WriteOutcome.NEW: 2})]
    assert [each.days for each in resample_store(store, ["DEMOUSD"], "1m", ["1h"])] == [Counter({WriteOutcome.UNCHANGED: 2})]
    write(store, candles)
    (outcome,) = resample_store(store, ["DEMOUSD"], "1m", ["1h"])
    assert outcome.days == Counter({WriteOutcome.NEW: 1, WriteOutcome.EXTENDED: 1, WriteOutcome.UNCHANGED: 1})
    assert_same_candles(store.read("DEMOUSD", "1h"), resample(candles, "1h"))


def test_other_stored_candles_are_kept_unless_they_are_replaced(store: CandleStore) -> None:
    write(store, minutes(1440))
    write(store, resample(minutes(1440, seed=2), "1h"))
    (outcome,) = resample_store(store, ["DEMOUSD"], "1m", ["1h"])
    assert ([day.isoformat() for day, _ in outcome.rejected], outcome.days) == (["2020-01-01"], Counter())
    assert outcome.document()["refused"][0]["date"] == "2020-01-01"
    assert_same_candles(store.read("DEMOUSD", "1h"), resample(minutes(1440, seed=2), "1h"))
    (replaced,) = resample_store(store, ["DEMOUSD"], "1m", ["1h"], replace=True)
    assert replaced.days == Counter({WriteOutcome.REPLACED: 1})
    assert_same_candles(store.read("DEMOUSD", "1h"), resample(minutes(1440), "1h"))


def test_rejects_unknown_series_and_intervals_before_writing(store: CandleStore) -> None:
    write(store, minutes(1440))
    with pytest.raises(NotFound, match="DEMOX"):
        resample_store(store, ["DEMOUSD", "DEMOX"], "1m", ["1h"])
    with pytest.raises(InvalidInput):
        resample_store(store, ["DEMOUSD"], "1h", ["1m"])
    assert store.series() == [("DEMOUSD", "1m")]
