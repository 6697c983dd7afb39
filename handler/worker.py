"""The worker: on a machine of its own it does what the queue's messages ask for, with the same code as Lambda."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

from coinfarm.aws.auto_scaling import AutoScalingMember
from coinfarm.aws.instance_metadata import InstanceMetadata
from coinfarm.aws.sqs import Queue
from coinfarm.errors import CoinfarmError, Unavailable
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings
from handler.drain import Drain
from handler.idle_timer import IdleTimer
from handler.telemetry import count_refusal, logger, measure_ms, print_metrics
from handler.visibility import VisibilityExtender
from handler.worker_settings import WorkerSettings
from handler.worker_thread import WorkerThread

_INTERRUPTED = 128 + signal.SIGINT
_POLL_S = 0.2
_HEALTH_S = 2
_METRICS_S = 10
_LAST_BATCH_S = 15
"""What a lane may take beyond the grace: one batch of the engine, the writes of what is finished, the settling."""


class Worker:
    """One per process, for its main thread; starts nothing before `run`."""

    def __init__(self, settings: WorkerSettings, service: Service) -> None:
        self._settings = settings
        self._queue = Queue(settings.queue_url)
        self._held = VisibilityExtender(self._queue, settings.visibility_timeout_s)
        self._idleness = IdleTimer()
        self._drain = Drain(settings.drain_s)
        self._instance = InstanceMetadata(settings.aws_ec2_metadata_service_endpoint)
        self._fleet = AutoScalingMember(settings.auto_scaling_group, self._instance.instance_id) if settings.auto_scaling_group else None
        self._lanes = [
            WorkerThread(f"lane {number}", settings, service, self._queue, self._held, self._idleness, self._drain)
            for number in range(1, settings.worker_threads + 1)
        ]
        self._is_superfluous = False
        self._is_interrupted = False
        self._signals: list[int] = []
        self._ended = threading.Event()

    def run(self) -> int:
        """Work until a signal, a spot notice or an empty queue ends it, and return the exit code.

        0, or 130 after SIGINT; 1 where the engine failed in two turns in a row, and where a lane is stuck or has died.
        Raises `NotFound` and `Forbidden` for a queue that cannot be used.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self._check_queue()
        logger.info("worker started", extra={"settings": self._settings.model_dump(mode="json")})
        self._start_threads()
        while not self._drain.wait(_POLL_S):
            self._watch()
        self._finish()
        if self._is_superfluous:
            self._leave_fleet()
        return 1 if self._drain.is_failure else _INTERRUPTED if self._is_interrupted else 0

    @property
    def is_working(self) -> bool:
        """Whether a lane has not ended."""
        return any(lane.is_alive() for lane in self._lanes)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self._signals.append(number)  # and nothing else: the main thread may hold any lock at this moment

    def _check_queue(self) -> None:
        try:
            self._queue.depth()
        except Unavailable as error:
            logger.warning("the queue does not answer yet", extra={"reason": str(error)})

    def _start_threads(self) -> None:
        self._every(self._settings.visibility_timeout_s / 3, self._held.hide_on, "heartbeat")
        self._every(_METRICS_S, print_metrics, "metrics")
        self._every(_HEALTH_S, self._tell_health, "health")
        if not self._settings.aws_ec2_metadata_disabled:
            # One of its own: instances are not shared between threads.
            notices = InstanceMetadata(self._settings.aws_ec2_metadata_service_endpoint)
            self._every(self._settings.notice_poll_s, _Notices(notices, self._drain).poll, "notices")
        for lane in self._lanes:
            lane.start()

    def _every(self, period_s: float, action: Callable[[], object], name: str) -> None:
        def repeat() -> None:
            while not self._ended.wait(period_s):
                try:
                    action()
                except Exception:  # noqa: BLE001 - a heart that stopped at one failed beat would be no heart
                    logger.exception("%s failed", name)

        threading.Thread(target=repeat, name=name, daemon=True).start()

    def _watch(self) -> None:
        if self._signals:
            number = signal.Signals(self._signals.pop(0))
            self._is_interrupted = number is signal.SIGINT
            self._begin_drain(number.name)
            return
        if len(self._held):
            self._idleness.end()
        idle_s = self._idleness.lasted_s
        self._protect(idle_s)
        if self._settings.idle_exit_s is not None and idle_s >= self._settings.idle_exit_s:
            self._begin_drain("the queue is empty")
            self._is_superfluous = True
        for lane in self._lanes:
            if self._is_lost(lane):
                self._begin_drain(f"{lane.name} is stuck or dead", is_failure=True)

    def _begin_drain(self, reason: str, *, is_failure: bool = False) -> None:
        if self._drain.begin(is_failure=is_failure):
            log = logger.error if is_failure else logger.info
            log("worker is draining", extra={"reason": reason, "held": len(self._held)})

    def _protect(self, idle_s: float) -> None:
        if self._fleet is None or not (len(self._held) or idle_s):
            return
        try:
            self._fleet.set_scale_in_protection(bool(len(self._held)))
        except Unavailable as error:
            logger.warning("protection from scaling in could not be changed", extra={"reason": str(error)})

    def _leave_fleet(self) -> None:
        if self._fleet is None:
            return
        try:
            self._fleet.terminate()
        except Unavailable as error:
            logger.warning("the group keeps this instance", extra={"reason": str(error)})

    def _tell_health(self) -> None:
        if self._settings.health_file and not any(self._is_lost(lane) for lane in self._lanes):
            self._settings.health_file.touch()

    def _is_lost(self, lane: WorkerThread) -> bool:
        return lane.silent_s >= self._settings.stall_s or not lane.is_alive()

    def _finish(self) -> None:
        """Wait for the lanes, within the grace; a second signal ends it."""
        while self.is_working and self._drain.left_s > -_LAST_BATCH_S:
            if self._signals:
                self._signals.clear()
                self._drain.hurry()
            time.sleep(_POLL_S)
        self._ended.set()
        self._held.give_back()
        print_metrics()
        if self._settings.health_file:
            self._settings.health_file.unlink(missing_ok=True)
        logger.info("worker stopped", extra={"given_up": self.is_working})


class _Notices:
    """Begins the drain when the instance is about to be taken away; says once where there is no instance to ask."""

    def __init__(self, instance: InstanceMetadata, drain: Drain) -> None:
        self._instance = instance
        self._drain = drain
        self._was_silent = False

    def poll(self) -> None:
        try:
            notice = self._instance.termination_notice()
        except Unavailable as error:
            if not self._was_silent:
                logger.warning("the instance cannot be asked for notices", extra={"reason": str(error)})
            self._was_silent = True
            return
        self._was_silent = False
        if notice is not None and self._drain.begin():
            logger.info("worker is draining", extra={"reason": notice})


def main() -> int:
    """Run a worker with the settings of the environment; the exit code.

    Raises `CoinfarmError` where a setting is missing or wrong, before any message is received.
    """
    logging.getLogger("botocore").setLevel(logging.WARNING)
    worker_settings, settings = WorkerSettings.from_environment(os.environ), Settings.from_environment(os.environ)
    _check_roots(settings)
    service = Service(
        settings,
        on_load=lambda load_ms: measure_ms("LoadMs", load_ms),
        on_refusal=count_refusal,
    )
    worker = Worker(worker_settings, service)
    code = worker.run()
    if code == _INTERRUPTED:
        print("Stopped. Messages that were not finished are back in the queue; the same command goes on.", file=sys.stderr)
    if worker.is_working:
        # A lane inside the engine or a read would end neither itself nor, with the interpreter, in peace.
        sys.stdout.flush()
        os._exit(code)
    return code


def _check_roots(settings: Settings) -> None:
    missing = [name for name in ("candles_root", "results_root") if getattr(settings, name) is None]
    if missing:
        names = " and ".join(name.upper() for name in missing)
        raise CoinfarmError(
            f"{names} {'is' if len(missing) == 1 else 'are'} not set, so every message would be refused and end in the dead-letter queue: "
            "set CANDLES_ROOT and RESULTS_ROOT (coinfarm worker: --candles-root and --results-root) to the folders or s3:// URIs that "
            "messages may read from and write to"
        )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CoinfarmError as error:
        sys.exit(str(error))
