"""Fetches what is needed next while what came before is used."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Fetched = TypeVar("Fetched")


def read_ahead(fetch: Callable[[Item], Fetched], items: Iterable[Item], count: int) -> Iterator[tuple[Item, Fetched]]:
    """Each item with what `fetch` returned for it, in order; up to `count` are fetched ahead, each in a thread.

    What `fetch` raises is raised at its item. After an error, or when the caller stops, what was not begun is not fetched.
    """
    with ThreadPoolExecutor(count, thread_name_prefix="read-ahead") as pool:
        coming: deque[tuple[Item, Future[Fetched]]] = deque()
        try:
            for item in items:
                coming.append((item, pool.submit(fetch, item)))
                if len(coming) > count:
                    first, fetched = coming.popleft()
                    yield first, fetched.result()
            for first, fetched in coming:
                yield first, fetched.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
