"""Reading ahead: in which order, how far, at the same time, and where an error is raised."""

import threading
from collections.abc import Iterator

import pytest

from coinfarm.storage.read_ahead import read_ahead


@pytest.mark.parametrize("count", [1, 2, 20])
def test_returns_each_item_with_its_result_in_order(count: int) -> None:
    assert list(read_ahead(str, range(10), count)) == [(number, str(number)) for number in range(10)]
    assert list(read_ahead(str, [], count)) == []


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


def test_fetches_count_items_at_the_same_time_and_no_more() -> None:
    begun, both, release = [], threading.Barrier(3), threading.Event()

    def fetch(number: int) -> int:
        begun.append(number)
        if number < 2:
            both.wait(timeout=10)
        assert release.wait(timeout=10)
        return number

    results: list[tuple[int, int]] = []
    consumer = threading.Thread(target=lambda: results.extend(read_ahead(fetch, range(3), 2)))
    consumer.start()
    both.wait(timeout=10)
    assert sorted(begun) == [0, 1]
    release.set()
    consumer.join()
    assert results == [(0, 0), (1, 1), (2, 2)]


def test_an_error_is_raised_at_its_item() -> None:
    reading = read_ahead(lambda number: 1 // number, [1, 0, 2], 2)
    assert next(reading) == (1, 1)
    with pytest.raises(ZeroDivisionError):
        next(reading)
