"""`/metrics` of a worker on a port of its own: what becomes of messages, and what the predictions for them cost."""

from collections.abc import Callable
from contextlib import ExitStack

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from coinfarm.errors import CoinfarmError, system_error_text
from coinfarm.serving.service import Service
from handler.prediction_metrics import ModelCollector, PredictionMetrics
from handler.prometheus_export import scraped_registry
from handler.telemetry import observed_predictions


class WorkerMetrics:
    """The metrics of one worker, served in a thread of its own while the block runs."""

    def __init__(self, port: int, service: Service, messages_in_flight: Callable[[], int]) -> None:
        self._requested_port = port
        own = CollectorRegistry()
        self._messages = Counter(
            "coinfarm_messages",
            "Messages by what became of them: done; failed, because they are invalid; retried, because another attempt may succeed.",
            ["outcome"],
            registry=own,
        )
        in_flight = Gauge("coinfarm_messages_in_flight", "Messages that were received and have no outcome yet.", registry=own)
        in_flight.set_function(messages_in_flight)
        self._predictions = PredictionMetrics(own)
        self._exported = scraped_registry(own, [ModelCollector(service)])
        self._running = ExitStack()
        self.port = port

    def __enter__(self) -> "WorkerMetrics":
        """Raises `CoinfarmError` if the port cannot be used."""
        try:
            server, thread = start_http_server(self._requested_port, registry=self._exported)
        except OSError as error:
            raise CoinfarmError(f"METRICS_PORT={self._requested_port}: {system_error_text(error)}") from None
        self.port = server.server_port
        self._running.callback(thread.join)
        self._running.callback(server.server_close)
        self._running.callback(server.shutdown)
        self._running.enter_context(observed_predictions(self._predictions.record))
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def count(self, outcome: str, messages: int) -> None:
        """Add messages with an outcome."""
        self._messages.labels(outcome).inc(messages)
