"""Logs, metrics and traces, as Powertools for AWS Lambda writes them."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from coinfarm.predictor import Timings
from handler.problems import problem

Handler = Callable[..., Any]

_SERVICE = "coinfarm"
"""Powertools gives its logger this name, which is also the package's: so what the package logs is written as what we log."""

logger = Logger(service=_SERVICE)
metrics = Metrics(service=_SERVICE, namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Coinfarm"))

# Powertools itself, with metrics off, would still print the cold start, and keep all the others in memory.
_IS_MEASURED = os.environ.get("POWERTOOLS_METRICS_DISABLED", "false").lower() != "true"


def count(name: str, number: float = 1) -> None:
    """Count something that happened."""
    if _IS_MEASURED:
        with _alone():
            metrics.add_metric(name, MetricUnit.Count, number)


def measure_ms(name: str, milliseconds: float) -> None:
    """How long something took."""
    if _IS_MEASURED:
        with _alone():
            metrics.add_metric(name, MetricUnit.Milliseconds, milliseconds)


def print_metrics() -> None:
    """Print what was counted and measured since, where no invocation's end does."""
    with _alone():
        if metrics.provider.metric_set:
            metrics.flush_metrics()


@contextmanager
def _alone() -> Iterator[None]:
    """Powertools counts for one thread, where a worker has several, and prints lines that none of the logger's may part."""
    handler = logger.registered_handler
    handler.acquire()
    try:
        yield
    finally:
        handler.release()


def count_timings(timings: Timings) -> None:
    """What a predictor did in this invocation, and where its time went."""
    count("Frames", timings.frames)
    count("CachedFrames", timings.cached_frames)
    measure_ms("RenderMs", timings.render_ms)
    measure_ms("InferenceMs", timings.inference_ms)


def count_refusal(reason: str) -> None:
    """A new version of the model was refused; the old one goes on serving."""
    logger.error("model refused", extra={"reason": reason})
    count("ModelRefused")


def refusal(error: Exception) -> dict[str, Any]:
    """The problem document of an error; logged, and counted where the fault is not the caller's."""
    document = problem(error)
    if document["status"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
        count("Failures")
        logger.error("request failed", exc_info=error)
    else:
        logger.info("request refused", extra={"problem": document})
    return document


def measured(handler: Handler) -> Handler:
    """The handler with its metrics printed after each invocation, unless they are switched off."""
    return metrics.log_metrics(handler, capture_cold_start_metric=True) if _IS_MEASURED else handler


def traced(handler: Handler) -> Handler:
    """The handler under X-Ray, where tracing is asked for; the SDK, in maintenance and slow to import, stays out otherwise."""
    if os.environ.get("POWERTOOLS_TRACE_DISABLED", "true").lower() != "false":
        return handler
    from aws_lambda_powertools import Tracer

    return Tracer().capture_lambda_handler(handler)
