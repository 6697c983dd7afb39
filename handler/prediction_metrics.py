"""Prometheus metrics of predictions and of the model in service, for the server and the worker alike."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from coinfarm.prediction.predictor import Predictor
from coinfarm.serving.service import Service

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""The buckets of durations: a request takes one or two milliseconds, and a thousand frames a tenth of a second."""
_BATCH_FRAMES = (1, 2, 4, 8, 16, 32, 64, 100, 200, 400, 1000)


class PredictionMetrics:
    """Counts frames, cache hits, batches and times of each predictor after its use."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._frames = Counter("coinfarm_frames_predicted", "Frames that were predicted, or found in the cache.", registry=registry)
        self._cached = Counter("coinfarm_frames_cached", "Frames whose predictions were in the cache.", registry=registry)
        self._batches = Histogram(
            "coinfarm_batch_frames", "Frames per call of the engine, with those in the cache.", buckets=_BATCH_FRAMES, registry=registry
        )
        self._render = Histogram("coinfarm_render_seconds", "Rendering of one prediction's frames.", buckets=SECONDS, registry=registry)
        self._inference = Histogram(
            "coinfarm_inference_seconds", "Inference of one prediction's frames.", buckets=SECONDS, registry=registry
        )

    def record(self, predictor: Predictor) -> None:
        """Add what a predictor did."""
        timings = predictor.timings
        self._frames.inc(timings.frames)
        self._cached.inc(timings.cached_frames)
        self._render.observe(timings.render_ms / 1000)
        self._inference.observe(timings.inference_ms / 1000)
        for frames, count in timings.batches.items():
            for _ in range(count):
                self._batches.observe(frames)


class ModelCollector(Collector):
    """The model in service, and a version that was rejected, at the time of each scrape. Loads nothing."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[InfoMetricFamily | GaugeMetricFamily]:
        model, rejection = self._service.loaded_model, self._service.rejection
        info = InfoMetricFamily("coinfarm_model", "The model in service.")
        seconds = GaugeMetricFamily("coinfarm_model_load_seconds", "How long the model in service took to load, with its download.")
        rejected = GaugeMetricFamily(
            "coinfarm_model_rejected",
            "1 if a version was promoted but cannot be loaded, so that the one before it serves.",
            labels=["version"],
        )
        if model is not None:
            manifest = model.bundle.manifest
            info.add_metric([], {"name": manifest.name, "version": manifest.version, "engine": model.engine.name})
            seconds.add_metric([], model.load_ms / 1000)
        if rejection is not None:
            rejected.add_metric([rejection.version or "unknown"], 1)
        yield from (info, seconds, rejected)
