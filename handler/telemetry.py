"""Logs, metrics and traces, as Powertools for AWS Lambda writes them."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

from coinfarm.errors import ModelError
from coinfarm.prediction.predictor import Predictor
from handler.problems import problem

Handler = Callable[..., Any]

_SERVICE = "coinfarm"
"""Powertools gives its logger this name, which is also the package's: so what the package logs is written as what we log."""

_NAMESPACE = os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Coinfarm")
_PLACE = os.environ.get("POWERTOOLS_METRICS_FUNCTION_NAME") or os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or "coinfarm-local"
"""Who counts: the API's function, the queue's, or a fleet. It is a dimension of every metric, for one image serves all of them."""

logger = Logger(service=_SERVICE)
metrics = Metrics(service=_SERVICE, namespace=_NAMESPACE, function_name=_PLACE)
metrics.set_default_dimensions(function_name=_PLACE)

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


def count_work(predictor: Predictor) -> None:
    """What a predictor did in this invocation, with which version of the model, and where its time went."""
    timings = predictor.timings
    _count_by_model(predictor.model.version, timings.frames)
    count("Frames", timings.frames)
    count("CachedFrames", timings.cached_frames)
    measure_ms("RenderMs", timings.render_ms)
    measure_ms("InferenceMs", timings.inference_ms)


def _count_by_model(version: str, frames: int) -> None:
    """A line of its own: a further dimension of the others would make, and cost, a metric of each for every version."""
    if _IS_MEASURED and frames:
        dimensions = {"function_name": _PLACE, "service": _SERVICE, "model_version": version}
        with _alone(), single_metric("ModelFrames", MetricUnit.Count, frames, namespace=_NAMESPACE, default_dimensions=dimensions):
            pass


def count_refusal(reason: str) -> None:
    """A new version of the model was refused; the old one goes on serving."""
    logger.error("model refused", extra={"reason": reason})
    count("ModelRefused")


def count_model_error(error: Exception) -> None:
    """A model that was refused where there is no older one to go on with: at the first load, or as a version that was asked for."""
    if isinstance(error, ModelError):
        count("ModelRefused")


def refusal(error: Exception) -> dict[str, Any]:
    """The problem document of an error; logged, and counted as a failure where the fault is not the caller's."""
    document = problem(error)
    count_model_error(error)
    if document["status"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
        count("Failures")
        logger.error("request failed", exc_info=error)
    else:
        count("Refusals")
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
