"""Prefetching in threads."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Fetched = TypeVar("Fetched")


def read_ahead(fetch: Callable[[Item], Fetched], items: Iterable[Item], count: int) -> Iterator[tuple[Item, Fetched]]:
    """Each item with the result of `fetch`, in order; up to `count` items are fetched ahead, each in its own thread.

    An error of `fetch` is raised at its item. After an error, or when the caller stops iterating, pending fetches are cancelled.
    """
    with ThreadPoolExecutor(count, thread_name_prefix="read-ahead") as pool:
        pending: deque[tuple[Item, Future[Fetched]]] = deque()
        try:
            for item in items:
                pending.append((item, pool.submit(fetch, item)))
                if len(pending) > count:
                    first, fetched = pending.popleft()
                    yield first, fetched.result()
            for first, fetched in pending:
                yield first, fetched.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
