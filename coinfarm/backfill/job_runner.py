"""Run jobs through a predictor, for messages of a queue and for local runs."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from coinfarm.prediction.predictions import Predictions
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series

if TYPE_CHECKING:
    from coinfarm.prediction.model_manager import LoadedModel

_MAX_PREPARED = 2
"""The number of jobs whose candles are prefetched: more than one, because a batch may span several jobs."""
_MAX_PENDING_WRITES = 4
"""The maximum number of results waiting to be written; above it, the engine waits."""


class Job(Protocol):
    """A series to predict and a result to write. Its methods are called from threads, at most once each, in this order."""

    def is_done(self) -> bool:
        """Whether the result exists already."""
        ...

    def series(self) -> Series | None:
        """The series to predict; None if there is nothing to predict, which is a result too."""
        ...

    def write(self, model: "LoadedModel", predictions: Predictions | None) -> None:
        """Write the complete result; `predictions` is None if there was nothing to predict."""
        ...


JobId = TypeVar("JobId")
OnFinished = Callable[[JobId, Exception | None], None]


def run_jobs(jobs: Iterable[tuple[JobId, Job]], predictor: Predictor, on_finished: OnFinished[JobId]) -> None:
    """Run the jobs in order, each given with its id. They share the engine's batches; candles are read and results written meanwhile.

    `on_finished(job_id, error)` is called in this thread once per job: with None when its result is written, or with the error if it fails.
    A failed job does not affect the others. Exceptions of the engine and of `predictor.before_batch` are raised after the pending results
    are written; jobs not reported by then are not done.
    """
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="backfill") as pool:
        pipeline = _Pipeline(pool, predictor, on_finished)
        try:
            for predictions in predictor.predict_each(pipeline.series(jobs)):
                pipeline.write_next(predictions)
        finally:
            pipeline.finish_writes(max_pending=0)


class _Pipeline(Generic[JobId]):
    """The jobs in progress in one call of `run_jobs`."""

    def __init__(self, pool: ThreadPoolExecutor, predictor: Predictor, on_finished: OnFinished[JobId]) -> None:
        self._pool = pool
        self._predictor = predictor
        self._on_finished = on_finished
        self._predicting: deque[tuple[JobId, Job]] = deque()
        self._writing: deque[tuple[JobId, Future[None]]] = deque()

    def series(self, jobs: Iterable[tuple[JobId, Job]]) -> Iterator[Series]:
        """The series of the jobs, in order."""
        for (job_id, job), prepared in self._prepared(jobs):
            try:
                is_done, series = prepared.result()
            except Exception as error:  # noqa: BLE001 - does not affect other jobs
                self._on_finished(job_id, error)
                continue
            if is_done:
                self._on_finished(job_id, None)
            elif series is None:
                self._write(job_id, job, None)
            else:
                self._predicting.append((job_id, job))
                yield series

    def write_next(self, predictions: Predictions) -> None:
        """Write the predictions of the oldest series in the engine."""
        job_id, job = self._predicting.popleft()
        self._write(job_id, job, predictions)

    def finish_writes(self, max_pending: int) -> None:
        """Wait until at most `max_pending` results are waiting to be written."""
        while len(self._writing) > max_pending:
            job_id, written = self._writing.popleft()
            self._on_finished(job_id, _error_of(written))

    def _prepared(self, jobs: Iterable[tuple[JobId, Job]]) -> Iterator[tuple[tuple[JobId, Job], "Future[_Prepared]"]]:
        ahead: deque[tuple[tuple[JobId, Job], Future[_Prepared]]] = deque()
        for job_id, job in jobs:
            ahead.append(((job_id, job), self._pool.submit(_prepare, job)))
            if len(ahead) > _MAX_PREPARED:
                yield ahead.popleft()
        while ahead:
            yield ahead.popleft()

    def _write(self, job_id: JobId, job: Job, predictions: Predictions | None) -> None:
        self._writing.append((job_id, self._pool.submit(job.write, self._predictor.model, predictions)))
        self.finish_writes(max_pending=_MAX_PENDING_WRITES)


_Prepared = tuple[bool, Series | None]
"""Whether the job is done, and if not, the series to predict."""


def _prepare(job: Job) -> _Prepared:
    return (True, None) if job.is_done() else (False, job.series())


def _error_of(written: "Future[None]") -> Exception | None:
    try:
        written.result()
    except Exception as error:  # noqa: BLE001 - does not affect other jobs
        return error
    return None
