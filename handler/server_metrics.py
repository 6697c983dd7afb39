"""`GET /metrics` of the server: what happens to requests, and what the predictions for them cost."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.registry import Collector

from coinfarm.serving.service import Service
from handler.prediction_metrics import SECONDS, ModelCollector, PredictionMetrics
from handler.prometheus_export import exported_text, scraped_registry
from handler.server_routes import ServerRequest, ServerResponse

METRICS_PATH = "/metrics"
_METHODS = frozenset(("GET", "HEAD", "POST", "OPTIONS"))
_OTHER = "other"
"""The label of all other paths and methods: clients choose them, and each label is a time series."""


@dataclass
class ObservedRequest:
    """A request in progress; its route sets the status."""

    status: int = 0


class ServerMetrics:
    """The metrics of one application. Those of predictions are recorded by `predictions`, in any thread."""

    def __init__(self, paths: Iterable[str]) -> None:
        """`paths` are those of all routes."""
        self._paths = frozenset(paths)
        self._registry = CollectorRegistry()
        self.predictions = PredictionMetrics(self._registry)
        self._requests = Counter(
            "coinfarm_http_requests", "Requests that were answered.", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "coinfarm_http_request_duration_seconds",
            "From the first byte of a request to the last of its response.",
            ["method", "route"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._in_progress = Gauge(
            "coinfarm_http_requests_in_progress", "Requests in progress.", registry=self._registry, multiprocess_mode="livesum"
        )
        self.waiting = Gauge(
            "coinfarm_prediction_queue_depth",
            "Requests for predictions that wait for their turn.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._exported: CollectorRegistry | None = None

    def start(self, service: Service, collectors: Iterable[Collector]) -> None:
        """Export the model of a service, too, and what the collectors find at each scrape."""
        self._exported = scraped_registry(self._registry, [ModelCollector(service), *collectors])

    @contextmanager
    def observed(self, method: str, path: str) -> Iterator[ObservedRequest]:
        """Count and time a request; one whose status is not set was not answered."""
        request = ObservedRequest()
        started = perf_counter()
        self._in_progress.inc()
        try:
            yield request
        finally:
            self._in_progress.dec()
            if request.status:
                labels = (method if method in _METHODS else _OTHER, path if path in self._paths else _OTHER)
                self._requests.labels(*labels, str(request.status)).inc()
                self._seconds.labels(*labels).observe(perf_counter() - started)

    async def get_metrics(self, request: ServerRequest) -> ServerResponse:
        """The route: all metrics as text."""
        assert self._exported is not None, "the server has started"
        body, media_type = await asyncio.to_thread(exported_text, self._exported, request.headers.get("accept", ""))
        return ServerResponse(body, media_type)
