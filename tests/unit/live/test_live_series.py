"""A series that grows by candles of a stream and of REST."""

import numpy as np
import pytest

from coinfarm.candles.candles import Candles
from coinfarm.candles.gaps import fill_gaps
from coinfarm.live.exchange_rows import ClosedCandles
from coinfarm.live.live_series import CONTEXT_CANDLES, FIRST_CANDLES, MAX_CATCH_UP_CANDLES, REREAD_CANDLES, LiveSeries
from image_render.windows import Columns
from tests.support.synthetic_candles import MINUTE_MS, START_MS, assert_same_candles, minutes

ALL = minutes(1000)


def time(at):
    return START_MS + at * MINUTE_MS


def some(*positions):
    """The candles at these positions."""
    columns = Columns(*(column[list(positions)] for column in ALL.columns))
    return Candles(ALL.symbol, "1m", ALL.open_time[list(positions)], columns, ALL.filled[list(positions)])


@pytest.fixture
def series():
    """Of the first 300 candles."""
    return LiveSeries(ALL[300 - CONTEXT_CANDLES : 300])


def positions(candles):
    return [(each - START_MS) // MINUTE_MS for each in candles.open_time.tolist()]


def raised(candles):
    """The candles with other prices."""
    columns = candles.columns
    return Candles("DEMOUSD", "1m", candles.open_time, columns._replace(close=columns.close + 1, high=columns.high + 1), candles.filled)


def fetched(candles, known_to):
    return ClosedCandles(candles, time(known_to))


def test_a_new_series_begins_with_its_first_candle():
    series = LiveSeries(ALL[:0])
    assert series.fetch_from_ms(time(500) + 7) == time(500 - FIRST_CANDLES)
    series.add_closed(some(499))
    assert not len(series.ready())
    assert series.has_gap
    series.add_fetched(time(270), fetched(some(*range(272, 500)), 500))
    assert_same_candles(series.ready(), ALL[272:500])


def test_candles_are_ready_once_and_in_order(series):
    series.add_closed(some(301))
    assert not len(series.ready())
    assert series.has_gap
    series.add_closed(some(300))
    series.add_closed(some(299))
    ready = series.ready()
    assert positions(ready) == [300, 301]
    series.store(ready)
    assert series.next_ms == time(302)
    assert not len(series.ready())
    assert not series.has_gap
    assert_same_candles(series.tail, ALL[302 - CONTEXT_CANDLES : 302])


def test_a_missing_candle_is_filled_only_when_the_exchange_does_not_have_it(series):
    series.add_closed(some(302))
    assert not len(series.ready())
    series.add_fetched(series.fetch_from_ms(time(303)), fetched(some(*range(295, 300), 302), 302))
    ready = series.ready()
    expected = fill_gaps(Candles.concatenate("DEMOUSD", "1m", [ALL[:300], some(302)]))[300:]
    assert_same_candles(ready, expected)
    assert ready.filled.tolist() == [True, True, False]


def test_a_quiet_market_is_filled_for_a_while_and_then_waited_for(series):
    for known_to in (310, 320, 340, 360):
        series.add_fetched(time(300), fetched(ALL[:0], known_to))
        series.store(series.ready())
    assert series.next_ms == time(330)
    assert series.tail.filled.sum() == 30
    series.add_fetched(time(325), fetched(some(400), 400))
    ready = series.ready()
    assert positions(ready) == list(range(330, 401))
    assert ready.filled.sum() == 70


def test_an_interrupted_gap_is_as_long_as_the_candles_that_are_missing(series):
    series.add_fetched(time(300), fetched(some(305), 400))
    assert positions(series.ready()) == list(range(300, 336))


def test_a_correction_replaces_the_stored_candle(series):
    since = series.fetch_from_ms(time(300))
    assert since == time(300 - REREAD_CANDLES)
    assert not len(series.add_fetched(since, fetched(ALL[295:300], 300)))
    expected = raised(ALL[296:298])
    assert_same_candles(series.add_fetched(since, fetched(expected, 300)), expected)
    assert series.tail.columns.close[-4:-2].tolist() == expected.columns.close.tolist()
    assert len(series.tail) == CONTEXT_CANDLES


def test_a_late_candle_replaces_a_filled_one_and_moves_those_filled_after_it(series):
    series.add_fetched(time(300), fetched(ALL[:0], 302))
    series.store(series.ready())
    late = raised(some(300))
    corrected = series.add_fetched(
        series.fetch_from_ms(time(302)), fetched(Candles.concatenate("DEMOUSD", "1m", [ALL[297:300], late]), 302)
    )
    assert positions(corrected) == [300, 301]
    expected = fill_gaps(Candles.concatenate("DEMOUSD", "1m", [ALL[:300], late, some(302)]))[302 - CONTEXT_CANDLES : 302]
    assert_same_candles(series.tail, expected)


def test_continues_after_what_another_process_stored(series):
    series.add_closed(some(300, 301, 303))
    series.continue_after(ALL[302 - CONTEXT_CANDLES : 302])
    assert series.has_gap
    series.continue_after(ALL[304 - CONTEXT_CANDLES : 304])
    assert not series.has_gap
    assert not len(series.ready())


def test_a_series_begins_again_after_a_long_gap(series):
    assert not series.begin_again_if_outdated(time(300 + MAX_CATCH_UP_CANDLES))
    assert series.begin_again_if_outdated(time(300 + MAX_CATCH_UP_CANDLES) + 1)
    assert series.next_ms is None
    assert not np.any(series.tail.filled)


def test_an_answer_without_the_stored_candles_is_no_answer(series):
    empty = fetched(some(), 310)
    checked = series.checked(series.fetch_from_ms(time(310)), empty)
    assert len(checked.invalid) == 1
    series.add_fetched(series.fetch_from_ms(time(310)), checked)
    assert not len(series.ready())
    assert series.checked(time(300), empty) == empty  # the stored ones were not asked for


def test_no_candles_after_filled_ones_is_an_answer(series):
    series.add_fetched(time(300), fetched(some(), 300 + REREAD_CANDLES))
    series.store(series.ready())
    empty = fetched(some(), 310)
    assert series.checked(series.fetch_from_ms(time(310)), empty) == empty
