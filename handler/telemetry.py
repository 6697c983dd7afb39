"""Logs, metrics and traces, as Powertools for AWS Lambda writes them."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from coinfarm.errors import ModelError
from coinfarm.prediction.model_manager import Rejection
from coinfarm.prediction.predictor import Predictor
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings
from handler.problems import problem

Handler = Callable[..., Any]

_SERVICE = "coinfarm"
"""Also the name of the package, so that the loggers of `coinfarm.*` are children of the Powertools logger and use its format."""

_NAMESPACE = os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Coinfarm")
_SOURCE = os.environ.get("POWERTOOLS_METRICS_FUNCTION_NAME") or os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or "coinfarm-local"
"""The API's function, the queue's function, or a fleet. A dimension of every metric, because all of them run the same image."""

logger = Logger(service=_SERVICE)


class _ThreadSafeProvider(AmazonCloudWatchEMFProvider):
    """Prints the metrics of all threads; nothing if another thread has just printed them."""

    def flush_metrics(self, raise_on_empty_metrics: bool = False) -> None:
        with _exclusive():
            if self.metric_set:
                super().flush_metrics(raise_on_empty_metrics)


metrics = Metrics(provider=_ThreadSafeProvider(service=_SERVICE, namespace=_NAMESPACE, function_name=_SOURCE))
metrics.set_default_dimensions(function_name=_SOURCE)

# With metrics disabled, Powertools would still print the cold start and collect all other metrics in memory.
_METRICS_ENABLED = os.environ.get("POWERTOOLS_METRICS_DISABLED", "false").lower() != "true"


def count(name: str, number: float = 1) -> None:
    """Add to a count metric."""
    if _METRICS_ENABLED:
        with _exclusive():
            metrics.add_metric(name, MetricUnit.Count, number)


def measure_ms(name: str, milliseconds: float) -> None:
    """Record a duration."""
    if _METRICS_ENABLED:
        with _exclusive():
            metrics.add_metric(name, MetricUnit.Milliseconds, milliseconds)


def gauge(name: str, value: float | None) -> None:
    """Record a value without a unit; None is no value."""
    if _METRICS_ENABLED and value is not None:
        with _exclusive():
            metrics.add_metric(name, MetricUnit.NoUnit, float(value))


def print_metrics() -> None:
    """Print the metrics collected so far, for a process without invocations."""
    metrics.flush_metrics()


@contextmanager
def _exclusive() -> Iterator[None]:
    """Lock out other threads, including the logger: Powertools metrics are not thread-safe, and their lines must not mix with log lines."""
    handler = logger.registered_handler
    handler.acquire()
    try:
        yield
    finally:
        handler.release()


_prediction_observers: list[Callable[[Predictor], None]] = []


@contextmanager
def observed_predictions(observer: Callable[[Predictor], None]) -> Iterator[None]:
    """Call an observer with each predictor after its use, in the thread that used it."""
    _prediction_observers.append(observer)
    try:
        yield
    finally:
        _prediction_observers.remove(observer)


def record_prediction_metrics(predictor: Predictor) -> None:
    """Record a predictor's frames by model version, cache hits and timings."""
    for observe in _prediction_observers:
        observe(predictor)
    timings = predictor.timings
    _count_by_model(predictor.model.version, timings.frames)
    count("Frames", timings.frames)
    count("CachedFrames", timings.cached_frames)
    measure_ms("RenderMs", timings.render_ms)
    measure_ms("InferenceMs", timings.inference_ms)


def _count_by_model(version: str, frames: int) -> None:
    """A separate metric: a version dimension on all metrics would create, and cost, one metric of each name per version."""
    if _METRICS_ENABLED and frames:
        dimensions = {"function_name": _SOURCE, "service": _SERVICE, "model_version": version}
        with _exclusive(), single_metric("ModelFrames", MetricUnit.Count, frames, namespace=_NAMESPACE, default_dimensions=dimensions):
            pass


def count_model_rejection(rejection: Rejection) -> None:
    """Count a new model version that was rejected while the old one stays in service; the metric's log line names both."""
    versions = {"rejected_version": rejection.version or "unknown", "serving_version": rejection.serving}
    logger.error("model rejected", extra={"reason": rejection.reason, **versions})
    count("ModelRejected")
    if _METRICS_ENABLED:
        with _exclusive():
            for name, version in versions.items():
                metrics.add_metadata(name, version)


def monitored_service(settings: Settings) -> Service:
    """A service that records how long each model took to load, and counts rejected versions."""
    return Service(settings, on_load=lambda load_ms: measure_ms("LoadMs", load_ms), on_rejection=count_model_rejection)


def count_model_error(error: Exception) -> None:
    """Count a rejected model if there is no older one to continue with: at the first load, or for a pinned version."""
    if isinstance(error, ModelError):
        count("ModelRejected")


def report_error(error: Exception) -> dict[str, Any]:
    """Log and count an error; return its problem document. Server errors (5xx) count as failures, client errors (4xx) as rejections."""
    document = problem(error)
    count_model_error(error)
    if document["status"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
        count("Failures")
        logger.error("request failed", exc_info=error)
    else:
        count("RejectedRequests")
        logger.info("request rejected", extra={"problem": document})
    return document


def measured(handler: Handler) -> Handler:
    """The handler with its metrics printed after each invocation, unless metrics are disabled."""
    return metrics.log_metrics(handler, capture_cold_start_metric=True) if _METRICS_ENABLED else handler


def traced(handler: Handler) -> Handler:
    """The handler with X-Ray tracing if it is enabled; otherwise the X-Ray SDK, which is slow to import, is not loaded."""
    if os.environ.get("POWERTOOLS_TRACE_DISABLED", "true").lower() != "false":
        return handler
    from aws_lambda_powertools import Tracer

    return Tracer().capture_lambda_handler(handler)
