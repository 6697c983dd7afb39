"""A light load generator: one thread, and one request at a time on each of several keep-alive connections.

Run as `python -m benchmarks.load_client PORT PID`, so that it shares no interpreter with a server. It prints JSON.
"""

import json
import math
import random
import selectors
import socket
import time
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import click
import psutil

from coinfarm.candles.json_rows import rows_from_candles
from coinfarm.candles.synthetic import START_OF_2026_MS, generate
from image_render.spec import STANDARD

_DIFFERENT_REQUESTS = 25_000
"""More than a prediction cache holds, so that no response comes from it."""
_HEAD = b"POST /predictions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
_HEADERS_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


class RequestStream:
    """Endless requests for the predictions of `frames` windows each, a minute later each time, as bytes."""

    def __init__(self, frames: int, first: int) -> None:
        candles = generate("DEMOUSD", "1m", START_OF_2026_MS, _DIFFERENT_REQUESTS, seed=3)
        self._rows = [json.dumps(row).encode() for row in rows_from_candles(candles)]
        self._length = STANDARD.window_candles + frames - 1
        self._starts = count(first)

    def __iter__(self) -> Iterator[bytes]:
        for start in self._starts:
            at = start % (len(self._rows) - self._length)
            body = b'{"symbol": "DEMOUSD", "interval": "1m", "candles": [%b]}' % b",".join(self._rows[at : at + self._length])
            yield b"POST /predictions HTTP/1.1\r\nHost: l\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
                len(body),
                body,
            )


class Connection:
    """A keep-alive connection with at most one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def send(self, request: bytes) -> None:
        self._received = b""
        self.sent_s = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Read what has arrived; return whether the response is complete. Raises `ConnectionError` if it is not a success."""
        part = self.socket.recv(1 << 20)
        self._received += part
        head, separator, body = self._received.partition(_HEADERS_END)
        if not part or (separator and b" 200 " not in head[:15]):
            raise ConnectionError(self._received.decode(errors="replace") or "the server closed the connection")
        if not separator:
            return False
        length = head.lower().partition(_LENGTH)[2].partition(b"\r\n")[0]
        return len(body) == int(length)


def latencies_s(port: int, requests: Iterator[bytes], connections: int, seconds: float) -> list[float]:
    """The latency of each response that arrived within `seconds`, in the order of arrival."""
    selector = selectors.EpollSelector()
    for _ in range(connections):
        connection = Connection(port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(next(requests))
    taken: list[float] = []
    deadline = time.perf_counter() + seconds
    while (now := time.perf_counter()) < deadline:
        for key, _ in selector.select(deadline - now):
            connection = key.data
            if connection.receive():
                taken.append(time.perf_counter() - connection.sent_s)
                connection.send(next(requests))
    for key in list(selector.get_map().values()):
        key.data.socket.close()
    return taken


def percentile(values: list[float], share: float) -> float:
    """The smallest value that is not exceeded by this share of the values; NaN of none."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else math.nan


class _CpuTimes(NamedTuple):
    """Processor seconds since the start of the machine or the process."""

    client: float
    server: float
    all_processes: float

    @classmethod
    def now(cls, server: psutil.Process) -> "_CpuTimes":
        machine, own = psutil.cpu_times(), server.cpu_times()
        return cls(time.process_time(), own.user + own.system, sum(machine) - machine.idle - machine.iowait)


@click.command()
@click.argument("port", type=int)
@click.argument("pid", type=int)
@click.option("--connections", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--frames", type=click.IntRange(min=1), default=1, show_default=True, help="Windows per request.")
@click.option("--seconds", type=float, default=5.0, show_default=True)
@click.option("--warm-up", "warm_up_s", type=float, default=0.5, show_default=True, help="Seconds before, which do not count.")
def main(port: int, pid: int, connections: int, frames: int, seconds: float, warm_up_s: float) -> None:
    """Load the server that listens on a port and has a process id.

    Prints requests/s, percentiles in milliseconds, and the processor cores that were used by client, server and other processes.
    """
    requests = iter(RequestStream(frames, random.randrange(_DIFFERENT_REQUESTS)))
    latencies_s(port, requests, connections, warm_up_s)
    server = psutil.Process(pid)
    before = _CpuTimes.now(server)
    taken_ms = [1000 * latency for latency in latencies_s(port, requests, connections, seconds)]
    client, of_server, all_processes = ((after - start) / seconds for start, after in zip(before, _CpuTimes.now(server), strict=True))
    document = {
        "requestsPerS": len(taken_ms) / seconds,
        **{name: percentile(taken_ms, share) for name, share in (("p50Ms", 0.5), ("p99Ms", 0.99), ("maxMs", 1.0))},
        "clientCores": client,
        "serverCores": of_server,
        "otherCores": max(0.0, all_processes - client - of_server),
    }
    print(json.dumps(document))


if __name__ == "__main__":
    main()
