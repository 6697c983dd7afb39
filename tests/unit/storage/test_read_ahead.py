"""Reading ahead: in which order, how far, at the same time, and where an error is raised."""

import threading
import time
from collections.abc import Iterator

import pytest

from coinfarm.storage.read_ahead import read_ahead


@pytest.mark.parametrize("count", [1, 2, 20])
def test_returns_each_item_with_its_result_in_order(count: int) -> None:
    assert list(read_ahead(str, range(10), count)) == [(number, str(number)) for number in range(10)]


def test_nothing_to_read_is_nothing() -> None:
    assert list(read_ahead(str, [], 2)) == []


def test_takes_count_items_ahead() -> None:
    taken = []

    def numbers() -> Iterator[int]:
        for number in range(10):
            taken.append(number)
            yield number

    reading = read_ahead(str, numbers(), 2)
    assert next(reading) == (0, "0")
    assert taken == [0, 1, 2]
    assert next(reading) == (1, "1")
    assert taken == [0, 1, 2, 3]


def test_fetches_at_the_same_time() -> None:
    both = threading.Barrier(2)
    results = read_ahead(lambda _: both.wait(timeout=10), range(2), 2)
    assert sorted(found for _, found in results) == [0, 1]


def test_fetches_no_more_than_count_at_the_same_time() -> None:
    begun, release = [], threading.Event()

    def fetch(number: int) -> int:
        begun.append(number)
        assert release.wait(timeout=10)
        return number

    results: list[tuple[int, int]] = []
    consumer = threading.Thread(target=lambda: results.extend(read_ahead(fetch, range(3), 2)))
    consumer.start()
    time.sleep(0.1)
    assert 2 not in begun
    release.set()
    consumer.join()
    assert results == [(0, 0), (1, 1), (2, 2)]


def test_an_error_is_raised_at_its_item() -> None:
    reading = read_ahead(lambda number: 1 // number, [1, 0, 2], 2)
    assert next(reading) == (1, 1)
    with pytest.raises(ZeroDivisionError):
        next(reading)
