"""The worker: processes the queue's messages on its own machine, with the same code as Lambda."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from types import FrameType
from typing import TYPE_CHECKING

from coinfarm.aws.auto_scaling import AutoScalingMember
from coinfarm.aws.instance_metadata import InstanceMetadata
from coinfarm.aws.sqs import Queue
from coinfarm.errors import CoinfarmError, Unavailable
from coinfarm.extras import require
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings
from handler.drain import Drain
from handler.idle_timer import IdleTimer
from handler.telemetry import logger, monitored_service, print_metrics
from handler.visibility import VisibilityExtender
from handler.worker_settings import WorkerSettings
from handler.worker_thread import WorkerThread

if TYPE_CHECKING:
    from handler.worker_metrics import WorkerMetrics

_INTERRUPTED = 128 + signal.SIGINT
_POLL_S = 0.2
_HEALTH_S = 2
_METRICS_S = 10
_LAST_BATCH_S = 15
"""How long a thread may take after the grace period: for one batch of the engine, the remaining writes, and settling the messages."""


class Worker:
    """One per process, used by the main thread; starts no thread before `run`."""

    def __init__(self, settings: WorkerSettings, service: Service) -> None:
        self._settings = settings
        self._queue = Queue(settings.queue_url)
        self._visibility = VisibilityExtender(self._queue, settings.visibility_timeout_s)
        self._idle_timer = IdleTimer()
        self._drain = Drain(settings.drain_s)
        self._instance = InstanceMetadata(settings.aws_ec2_metadata_service_endpoint)
        self._group = AutoScalingMember(settings.auto_scaling_group, self._instance.instance_id) if settings.auto_scaling_group else None
        self._metrics = _metrics(settings, service, self._visibility)
        parts = (settings, service, self._queue, self._visibility, self._idle_timer, self._drain)
        count = (self._metrics.count,) if self._metrics else ()
        self._threads = [WorkerThread(f"worker-thread-{number}", *parts, *count) for number in range(1, settings.worker_threads + 1)]
        self._is_idle_exit = False
        self._is_interrupted = False
        self._signals: list[int] = []
        self._stopped = threading.Event()

    def run(self) -> int:
        """Process messages until a signal, a spot interruption notice or an empty queue; return the exit code.

        The exit code is 0, 130 after SIGINT, or 1 if every message of two batches in a row failed, or a thread is stuck or dead.
        Raises `NotFound` and `Forbidden` for a queue that cannot be used, and `CoinfarmError` for a port of the metrics that cannot.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self._check_queue()
        with self._metrics or nullcontext():
            logger.info("worker started", extra={"settings": self._settings.model_dump(mode="json")})
            self._start_threads()
            while not self._drain.wait(_POLL_S):
                self._check_state()
            self._stop()
        if self._is_idle_exit:
            self._leave_group()
        return 1 if self._drain.is_failure else _INTERRUPTED if self._is_interrupted else 0

    @property
    def is_working(self) -> bool:
        """Whether any thread is still running."""
        return any(thread.is_alive() for thread in self._threads)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self._signals.append(number)  # only append: the interrupted main thread may hold a lock

    def _check_queue(self) -> None:
        try:
            self._queue.depth()
        except Unavailable as error:
            logger.warning("the queue is not available yet", extra={"reason": str(error)})

    def _start_threads(self) -> None:
        self._run_periodically(self._settings.visibility_timeout_s / 3, self._visibility.extend_all, "visibility extender")
        self._run_periodically(_METRICS_S, print_metrics, "metrics")
        self._run_periodically(_HEALTH_S, self._touch_health_file, "health")
        if not self._settings.aws_ec2_metadata_disabled:
            # a second one, because InstanceMetadata is not thread-safe
            instance = InstanceMetadata(self._settings.aws_ec2_metadata_service_endpoint)
            self._run_periodically(self._settings.notice_poll_s, _NoticePoller(instance, self._drain).poll, "notice poller")
        for thread in self._threads:
            thread.start()

    def _run_periodically(self, period_s: float, action: Callable[[], object], name: str) -> None:
        def repeat() -> None:
            while not self._stopped.wait(period_s):
                try:
                    action()
                except Exception:  # noqa: BLE001 - one failure must not stop the repetition
                    logger.exception("%s failed", name)

        threading.Thread(target=repeat, name=name, daemon=True).start()

    def _check_state(self) -> None:
        if self._signals:
            number = signal.Signals(self._signals.pop(0))
            self._is_interrupted = number is signal.SIGINT
            self._start_drain(number.name)
            return
        if len(self._visibility):
            self._idle_timer.reset()
        idle_s = self._idle_timer.idle_s
        self._update_protection(idle_s)
        if self._settings.idle_exit_s is not None and idle_s >= self._settings.idle_exit_s:
            self._start_drain("the queue is empty")
            self._is_idle_exit = True
        for thread in self._threads:
            if self._has_failed(thread):
                self._start_drain(f"{thread.name} is stuck or dead", is_failure=True)

    def _start_drain(self, reason: str, *, is_failure: bool = False) -> None:
        if self._drain.start(is_failure=is_failure):
            log = logger.error if is_failure else logger.info
            log("worker is draining", extra={"reason": reason, "messages_in_flight": len(self._visibility)})

    def _update_protection(self, idle_s: float) -> None:
        if self._group is None or not (len(self._visibility) or idle_s):
            return
        try:
            self._group.set_scale_in_protection(bool(len(self._visibility)))
        except Unavailable as error:
            logger.warning("scale-in protection could not be changed", extra={"reason": str(error)})

    def _leave_group(self) -> None:
        if self._group is None:
            return
        try:
            self._group.terminate()
        except Unavailable as error:
            logger.warning("the instance could not leave the Auto Scaling group", extra={"reason": str(error)})

    def _touch_health_file(self) -> None:
        if self._settings.health_file and not any(self._has_failed(thread) for thread in self._threads):
            self._settings.health_file.touch()

    def _has_failed(self, thread: WorkerThread) -> bool:
        return thread.inactive_s >= self._settings.stall_s or not thread.is_alive()

    def _stop(self) -> None:
        """Wait for the threads during the grace period, which a second signal ends."""
        while self.is_working and self._drain.remaining_s > -_LAST_BATCH_S:
            if self._signals:
                self._signals.clear()
                self._drain.expire()
            time.sleep(_POLL_S)
        self._stopped.set()
        self._visibility.release_all()
        print_metrics()
        if self._settings.health_file:
            self._settings.health_file.unlink(missing_ok=True)
        logger.info("worker stopped", extra={"threads_abandoned": self.is_working})


def _metrics(settings: WorkerSettings, service: Service, visibility: VisibilityExtender) -> "WorkerMetrics | None":
    if settings.metrics_port is None:
        return None
    require("METRICS_PORT", "prometheus_client")
    from handler.worker_metrics import WorkerMetrics

    return WorkerMetrics(settings.metrics_port, service, visibility.__len__)


class _NoticePoller:
    """Starts the shutdown at an interruption notice. Logs once that the metadata service is unavailable."""

    def __init__(self, instance: InstanceMetadata, drain: Drain) -> None:
        self._instance = instance
        self._drain = drain
        self._was_unavailable = False

    def poll(self) -> None:
        try:
            notice = self._instance.termination_notice()
        except Unavailable as error:
            if not self._was_unavailable:
                logger.warning("the instance metadata service is unavailable", extra={"reason": str(error)})
            self._was_unavailable = True
            return
        self._was_unavailable = False
        if notice is not None and self._drain.start():
            logger.info("worker is draining", extra={"reason": notice})


def main() -> int:
    """Run a worker with settings from the environment; return the exit code.

    Raises `CoinfarmError` for a missing or invalid setting, before any message is received.
    """
    logging.getLogger("botocore").setLevel(logging.WARNING)
    worker_settings, settings = WorkerSettings.from_environment(os.environ), Settings.from_environment(os.environ)
    _check_roots(settings)
    worker = Worker(worker_settings, monitored_service(settings))
    code = worker.run()
    if code == _INTERRUPTED:
        print("Stopped. Unfinished messages are back in the queue; run the same command to continue.", file=sys.stderr)
    if worker.is_working:
        # A thread inside the engine or a read cannot be stopped, and would crash while the interpreter shuts down.
        sys.stdout.flush()
        os._exit(code)
    return code


def _check_roots(settings: Settings) -> None:
    missing = [name for name in ("candles_root", "results_root") if getattr(settings, name) is None]
    if missing:
        names = " and ".join(name.upper() for name in missing)
        raise CoinfarmError(
            f"{names} {'is' if len(missing) == 1 else 'are'} not set, so every message would be rejected and end in the dead-letter queue: "
            "set CANDLES_ROOT and RESULTS_ROOT (coinfarm worker: --candles-root and --results-root) to the folders or s3:// URIs that "
            "messages may read from and write to"
        )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CoinfarmError as error:
        sys.exit(str(error))
