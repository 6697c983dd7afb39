"""Jobs through a predictor: what the queue's messages and a run on this machine have in common."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from coinfarm.prediction.predictions import Predictions
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series

if TYPE_CHECKING:
    from coinfarm.prediction.model_manager import LoadedModel

_AHEAD = 2
"""Jobs whose candles lie ready while the engine works: one is not enough where a batch holds several."""
_UNWRITTEN = 4
"""Answers that may wait to be written, before the engine waits for them."""


class Job(Protocol):
    """Something to predict whose answer is written. Its methods are called in threads, each once at most, in this order."""

    def is_done(self) -> bool:
        """Whether the answer was written before."""
        ...

    def series(self) -> Series | None:
        """What is to be predicted; None where there is nothing, and that is the answer."""
        ...

    def write(self, model: "LoadedModel", predictions: Predictions | None) -> None:
        """Write the answer as a whole; None where nothing was to be predicted."""
        ...


Name = TypeVar("Name")
Settle = Callable[[Name, Exception | None], None]


def run_jobs(jobs: Iterable[tuple[Name, Job]], predictor: Predictor, settle: Settle[Name]) -> None:
    """Do the named jobs in order. They share the engine's batches; while it works, the next job's candles come, and answers are written.

    `settle(name, error)` is called in this thread, once for each job: when its answer is written (None) or when it failed, which fails no
    other. What the engine or `predictor.before_batch` raises is raised after the last answers are written; jobs that were not settled
    by then are not done.
    """
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="backfill") as pool:
        work = _Work(pool, predictor, settle)
        try:
            for predictions in predictor.predict_each(work.series(jobs)):
                work.write_next(predictions)
        finally:
            work.settle_writes(leave=0)


class _Work(Generic[Name]):
    """The jobs on their way through one call of `run_jobs`."""

    def __init__(self, pool: ThreadPoolExecutor, predictor: Predictor, settle: Settle[Name]) -> None:
        self._pool = pool
        self._predictor = predictor
        self._settle = settle
        self._in_engine: deque[tuple[Name, Job]] = deque()
        self._in_writing: deque[tuple[Name, Future[None]]] = deque()

    def series(self, jobs: Iterable[tuple[Name, Job]]) -> Iterator[Series]:
        """What the engine is to predict, job after job."""
        for (name, job), prepared in self._prepared(jobs):
            try:
                is_done, series = prepared.result()
            except Exception as error:  # noqa: BLE001 - no fault of its neighbours
                self._settle(name, error)
                continue
            if is_done:
                self._settle(name, None)
            elif series is None:
                self._write(name, job, None)
            else:
                self._in_engine.append((name, job))
                yield series

    def write_next(self, predictions: Predictions) -> None:
        """The answer to the series that was given first, of those not yet answered."""
        name, job = self._in_engine.popleft()
        self._write(name, job, predictions)

    def settle_writes(self, leave: int) -> None:
        """Wait until no more than so many answers are unwritten."""
        while len(self._in_writing) > leave:
            name, written = self._in_writing.popleft()
            self._settle(name, _error_of(written))

    def _prepared(self, jobs: Iterable[tuple[Name, Job]]) -> Iterator[tuple[tuple[Name, Job], "Future[_Prepared]"]]:
        ahead: deque[tuple[tuple[Name, Job], Future[_Prepared]]] = deque()
        for name, job in jobs:
            ahead.append(((name, job), self._pool.submit(_prepare, job)))
            if len(ahead) > _AHEAD:
                yield ahead.popleft()
        while ahead:
            yield ahead.popleft()

    def _write(self, name: Name, job: Job, predictions: Predictions | None) -> None:
        self._in_writing.append((name, self._pool.submit(job.write, self._predictor.model, predictions)))
        self.settle_writes(leave=_UNWRITTEN)


_Prepared = tuple[bool, Series | None]
"""Whether it is done, and if not, what is to be predicted."""


def _prepare(job: Job) -> _Prepared:
    return (True, None) if job.is_done() else (False, job.series())


def _error_of(written: "Future[None]") -> Exception | None:
    try:
        written.result()
    except Exception as error:  # noqa: BLE001 - no fault of its neighbours
        return error
    return None
