"""Which candles of an exchange are closed, and which are missing."""

import pytest

from coinfarm.live.exchange_rows import MISSING_MS, SETTLED_MS, closed_candles, fetch_rows, valid_candles
from tests.support.synthetic_candles import MINUTE_MS, START_MS


def row(at, close=7000.0):
    return [START_MS + at * MINUTE_MS, 7000.0, 7010.0, 6990.0, close, 1.5]


def closed(rows, now):
    """The closed candles and the first unknown slot, as numbers of minutes."""
    found = closed_candles("BTCUSDT", "1m", rows, START_MS + now)
    return [(time - START_MS) // MINUTE_MS for time in found.candles.open_time.tolist()], (found.known_to_ms - START_MS) // MINUTE_MS


@pytest.mark.parametrize(
    ("rows", "now", "expected"),
    [
        ([0, 1], MINUTE_MS, ([0], 1)),  # a later candle has begun
        ([0, 1], MINUTE_MS - 1, ([], 0)),  # not before the exchange's clock says so
        ([0], MINUTE_MS + SETTLED_MS - 1, ([], 0)),  # the last trades may be missing
        ([0], MINUTE_MS + SETTLED_MS, ([0], 0)),
        ([0, 2], 2 * MINUTE_MS + 500, ([0], 2)),  # 1 is missing, because there is a later one
        ([0], 2 * MINUTE_MS + MISSING_MS - 1, ([0], 1)),
        ([0], 2 * MINUTE_MS + MISSING_MS, ([0], 2)),  # 1 is missing, because time has passed
        ([], 2 * MINUTE_MS, ([], 1)),
        ([0, 0, 1], MINUTE_MS, ([0], 1)),
    ],
)
def test_a_candle_is_closed_when_it_cannot_change_any_more(rows, now, expected):
    assert closed([row(at) for at in rows], now) == expected


def test_invalid_candles_are_left_out():
    rows = [row(0), row(1, close=9000.0), [*row(2)[:4], None, 1.0], row(3), [row(4)[0] + 1, *row(4)[1:]]]
    found = valid_candles("BTCUSDT", "1m", rows)
    assert found.candles.open_time.tolist() == [rows[0][0], rows[3][0]]
    assert len(found.invalid) == 3
    assert all("BTCUSDT" in detail for detail in found.invalid)


class Pages:
    """An exchange with pages of two candles, which may be empty."""

    def __init__(self, *minutes):
        self.rows = [row(at) for at in minutes]
        self.requests = []

    def page_candles(self, market):
        return 2

    def page(self, market, interval, since_ms):
        self.requests.append((since_ms - START_MS) // MINUTE_MS)
        return [row for row in self.rows if since_ms <= row[0] < since_ms + 2 * MINUTE_MS]


@pytest.mark.parametrize(
    ("minutes", "requests"),
    [((0, 1, 2, 3), [0, 2]), ((0, 2), [0, 1, 3]), ((0, 3, 4), [0, 1, 3]), ((), [0, 2])],
)
def test_fetches_all_pages_up_to_the_candle_that_is_open(minutes, requests):
    pages = Pages(*minutes)
    rows = fetch_rows(pages, "BTC/USDT", "1m", START_MS, START_MS + 4 * MINUTE_MS + 10)
    assert [(row[0] - START_MS) // MINUTE_MS for row in rows] == list(minutes)
    assert pages.requests == requests
