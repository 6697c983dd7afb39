"""Several server processes on one socket: started, watched, replaced when they die, and stopped together."""

import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from socket import socket
from tempfile import TemporaryDirectory

from prometheus_client.multiprocess import mark_process_dead

from coinfarm.errors import CoinfarmError
from handler.prometheus_export import FOLDER_VARIABLE

logger = logging.getLogger(__name__)

_POLL_S = 0.2
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class ServerProcesses:
    """The processes of one server. Each loads the model, and has its share of the cores."""

    def __init__(self, sockets: Sequence[socket], count: int) -> None:
        self._sockets = list(sockets)
        self._count = count
        self._ready: dict[SpawnProcess, bool] = {}
        self._connections: dict[Connection, SpawnProcess] = {}
        self._signals: list[int] = []

    def run(self, on_ready: Callable[[], None]) -> None:
        """Run until a signal, which is raised again when all processes have ended. `on_ready` is called once all accept requests.

        A process that dies later is replaced. Raises `CoinfarmError` if one dies before it is ready; `SystemExit` with its exit code if it
        has said why.
        """
        with TemporaryDirectory() as folder, self._recorded_signals():
            os.environ[FOLDER_VARIABLE] = folder
            try:
                for _ in range(self._count):
                    self._start()
                while not (self._signals or all(self._ready.values())):
                    self._watch(folder)
                if not self._signals:
                    on_ready()
                while not self._signals:
                    self._watch(folder)
            finally:
                self._stop()
                del os.environ[FOLDER_VARIABLE]
        signal.raise_signal(self._signals[0])

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")  # a forked engine would inherit locks that other threads hold
        parent_end, child_end = context.Pipe(duplex=False)
        process = context.Process(target=_run_server, args=(self._sockets, child_end), daemon=True)
        process.start()
        child_end.close()
        self._ready[process] = False
        self._connections[parent_end] = process

    def _watch(self, metrics_folder: str) -> None:
        """Wait for a moment, note which processes have become ready, and replace those that have died."""
        for connection in wait([*self._connections], _POLL_S):
            assert isinstance(connection, Connection)
            process = self._connections[connection]
            try:
                self._ready[process] = bool(connection.recv())
            except (EOFError, OSError):
                del self._connections[connection]
                connection.close()
                process.join()
                self._replace(process, metrics_folder)

    def _replace(self, process: SpawnProcess, metrics_folder: str) -> None:
        code, was_ready = process.exitcode or 0, self._ready.pop(process)
        if self._signals:
            return
        if not was_ready and code > 0:
            sys.exit(code)
        if not was_ready:
            raise CoinfarmError(f"a server process ended ({_how(code)}) before it was ready: its model may need more memory than there is")
        mark_process_dead(process.pid, metrics_folder)  # removes its gauges; what it counted stays
        logger.error("Server process %d ended (%s) and is replaced", process.pid, _how(code))
        self._start()

    def _stop(self) -> None:
        """Let all processes finish their requests; a second signal ends them at once."""
        for process in self._ready:
            process.terminate()
        while any(process.is_alive() for process in self._ready):
            if len(self._signals) > 1:
                for process in self._ready:
                    process.kill()
            time.sleep(_POLL_S / 4)
        for connection in self._connections:
            connection.close()

    @contextmanager
    def _recorded_signals(self) -> Iterator[None]:
        previous = {number: signal.signal(number, lambda number, _: self._signals.append(number)) for number in _STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def _run_server(sockets: list[socket], parent: Connection) -> None:
    """The main function of a process. It ends with its parent, too, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal, and the server handles it while it runs
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from handler.http_server import serve

    serve(sockets, lambda: parent.send(True))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
