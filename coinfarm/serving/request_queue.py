"""Concurrent requests: short ones share the engine's batches, and do not wait for long ones."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Condition
from typing import Any, NamedTuple

from coinfarm.engines.cores import available_cores
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from coinfarm.serving.request import PredictionRequest, parse_request
from coinfarm.serving.response import response_document
from coinfarm.serving.service import Service

Document = dict[str, Any]

_MAX_SHORT_BODY_BYTES = 48 << 10
"""A window of 200 candles has 15 to 30 KB of JSON, which takes about a millisecond to read."""
_MAX_SHORT_FRAMES = 16
_SHORT_BATCH_FRAMES = 4
"""What one core predicts at a time, while the requests after them are read."""
_LONG_BATCH_FRAMES_PER_CORE = 8
"""Large enough to keep every core busy, small enough that a short request need not wait long."""


class _Request(NamedTuple):
    body: bytes
    document: "Future[Document]"


class RequestQueue:
    """Two threads that predict, each first in, first out: one for short requests, one for long ones.

    Short requests that wait at the same time share the engine's batches; one that arrives while nothing runs is not delayed. Before each
    of its batches, a long request lets the short ones that are waiting go first, once, so that both make progress.
    """

    def __init__(
        self,
        service: Service,
        on_predicted: Callable[[Predictor], None] = lambda _: None,
        on_waiting: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`on_predicted` is called in the queue's threads, with each predictor after its use; `on_waiting` with each change of the number
        of requests that wait.
        """
        self._service = service
        self._on_predicted = on_predicted
        self._on_waiting = on_waiting
        self._short = ThreadPoolExecutor(max_workers=1, thread_name_prefix="short-requests")
        self._long = ThreadPoolExecutor(max_workers=1, thread_name_prefix="long-requests")
        self._waiting: deque[_Request] = deque()
        self._changed = Condition()
        self._unfinished = 0
        self._finished_runs = 0

    def predict(self, body: bytes) -> "Future[Document]":
        """The response document for a `PredictionRequest` in JSON, or the error."""
        request = _Request(body, Future())
        self._on_waiting(1)
        if len(body) > _MAX_SHORT_BODY_BYTES:
            self._long.submit(self._predict_long, request)
        else:
            with self._changed:
                self._waiting.append(request)
                self._unfinished += 1
            self._short.submit(self._predict_waiting)
        return request.document

    def close(self) -> None:
        """Finish all requests, and end the threads."""
        self._short.shutdown()
        self._long.shutdown()

    def _predict_waiting(self) -> None:
        with self._changed:
            requests = list(self._waiting)
            self._waiting.clear()
        if not requests:  # an earlier call has taken them
            return
        self._on_waiting(-len(requests))
        try:
            self._predict_together(requests)
        finally:
            with self._changed:
                self._unfinished -= len(requests)
                self._finished_runs += 1
                self._changed.notify_all()

    def _predict_together(self, requests: list[_Request]) -> None:
        """Resolve each request. If the engine fails for several, each is predicted alone, so that it gets its own error."""
        unread, read = deque(requests), deque[_Request]()
        try:
            predictor = self._service.predictor(max_batch=_SHORT_BATCH_FRAMES)
            for predictions in predictor.predict_each(self._read_each(unread, read)):
                read.popleft().document.set_result(response_document(predictor.model, predictions))
            self._on_predicted(predictor)
        except Exception as error:
            if len(requests) == 1:
                requests[0].document.set_exception(error)
                raise
            for request in (*read, *unread):
                with suppress(Exception):
                    self._predict_together([request])

    def _read_each(self, unread: deque[_Request], read: deque[_Request]) -> Iterator[Series]:
        """The short series, whose requests move from `unread` to `read`. Invalid requests get their error; the others are long."""
        while unread:
            request = unread[0]
            series = None
            with suppress(Exception), _failing(request):
                parsed = parse_request(PredictionRequest, request.body)
                series = parsed.series(self._service.settings.max_frames)
                if parsed.model_version is not None or len(series) > _MAX_SHORT_FRAMES:  # a pinned version may have to be loaded
                    self._on_waiting(1)
                    self._long.submit(self._predict_long, request)
                    series = None
            unread.popleft()
            if series is not None:
                read.append(request)
                yield series

    def _predict_long(self, request: _Request) -> None:
        self._on_waiting(-1)
        with _failing(request):
            parsed = parse_request(PredictionRequest, request.body)
            series = parsed.series(self._service.settings.max_frames)
            max_batch = _LONG_BATCH_FRAMES_PER_CORE * (self._service.settings.engine_threads or available_cores())
            predictor = self._service.predictor(parsed.model_version, before_batch=self._let_short_requests_go_first, max_batch=max_batch)
            document = response_document(predictor.model, predictor.predict(series))
            self._on_predicted(predictor)
        request.document.set_result(document)

    def _let_short_requests_go_first(self) -> None:
        with self._changed:
            finished = self._finished_runs
            self._changed.wait_for(lambda: not self._unfinished or self._finished_runs > finished)


@contextmanager
def _failing(request: _Request) -> Iterator[None]:
    """Report an exception to the sender of the request, too."""
    try:
        yield
    except Exception as error:
        request.document.set_exception(error)
        raise
