"""A light load generator: one thread, and one request at a time on each of several keep-alive connections.

Run as `python -m benchmarks.load_client PORT:PID …`, so that it shares no interpreter with a server. It loads several servers in turns, a
fraction of a second each, so that all of them meet the same other processes. It prints JSON.
"""

import json
import math
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

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


def request_stream(frames: int) -> Iterator[bytes]:
    """Endless requests for the predictions of `frames` windows each, other windows each time, as bytes."""
    candles = generate("DEMOUSD", "1m", START_OF_2026_MS, _DIFFERENT_REQUESTS, seed=frames)
    rows = [json.dumps(row).encode() for row in rows_from_candles(candles)]
    length = STANDARD.window_candles + frames - 1
    for number in count():
        at = number * frames % (len(rows) - length)
        body = b'{"symbol": "DEMOUSD", "interval": "1m", "candles": [%b]}' % b",".join(rows[at : at + length])
        yield b"%b\r\nContent-Length: %d\r\n\r\n%b" % (_HEAD, len(body), body)


class Connection:
    """A keep-alive connection with at most one request under way."""

    def __init__(self, port: int, requests: Iterator[bytes], taken_s: list[float]) -> None:
        """The latency of each response is appended to `taken_s`."""
        self._requests = requests
        self._taken_s = taken_s
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def send(self) -> None:
        request = next(self._requests)
        self._received = b""
        self._sent_s = time.perf_counter()
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
        if len(body) < int(length):
            return False
        self._taken_s.append(time.perf_counter() - self._sent_s)
        return True


def load(connections: Sequence[Connection], seconds: float) -> None:
    """Send requests for some seconds, then wait for the last responses."""
    with selectors.EpollSelector() as selector:
        deadline = time.perf_counter() + seconds
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send()
        while selector.get_map():
            for key, _ in selector.select():
                if not key.data.receive():
                    continue
                if time.perf_counter() < deadline:
                    key.data.send()
                else:
                    selector.unregister(key.fileobj)


class CpuTimes(NamedTuple):
    """Processor seconds since the start of the machine or the process."""

    client: float
    server: float
    all_processes: float

    @classmethod
    def now(cls, server: psutil.Process) -> "CpuTimes":
        machine, own = psutil.cpu_times(), server.cpu_times()
        return cls(time.process_time(), own.user + own.system, sum(machine) - machine.idle - machine.iowait)


@dataclass(frozen=True)
class Turn:
    """One turn of a server: the latencies of single frames and of batches, and what the processors did."""

    taken_s: list[float] = field(default_factory=list)
    batches_s: list[float] = field(default_factory=list)
    cpu: deque[CpuTimes] = field(default_factory=deque)
    times: deque[float] = field(default_factory=deque)

    def record(self, server: psutil.Process) -> None:
        self.cpu.append(CpuTimes.now(server))
        self.times.append(time.perf_counter())

    @property
    def seconds(self) -> float:
        return self.times[-1] - self.times[0]

    @property
    def other_cores(self) -> float:
        client, server, all_processes = (last - first for first, last in zip(self.cpu[0], self.cpu[-1], strict=True))
        return max(0.0, all_processes - client - server) / self.seconds


def figures(turns: Sequence[Turn], batch_frames: int) -> dict[str, float]:
    """The figures of several turns together."""
    seconds = sum(turn.seconds for turn in turns)
    taken_ms = sorted(1000 * taken for turn in turns for taken in turn.taken_s)
    cpu = [sum(turn.cpu[-1][at] - turn.cpu[0][at] for turn in turns) for at in range(2)]
    return {
        "requestsPerS": len(taken_ms) / seconds,
        "p50Ms": percentile(taken_ms, 0.5),
        "p99Ms": percentile(taken_ms, 0.99),
        "batchFramesPerS": batch_frames * sum(len(turn.batches_s) for turn in turns) / seconds,
        "clientCores": cpu[0] / seconds,
        "serverCores": cpu[1] / seconds,
        "otherCores": sum(turn.other_cores * turn.seconds for turn in turns) / seconds,
    }


def quietest(turns: Sequence[Turn]) -> list[Turn]:
    """The half of the turns in which other processes used the least processor time."""
    return sorted(turns, key=lambda turn: turn.other_cores)[: (len(turns) + 1) // 2]


def percentile(ascending: Sequence[float], share: float) -> float:
    """The smallest value that is not exceeded by this share of the values; NaN of none."""
    return ascending[max(0, math.ceil(share * len(ascending)) - 1)] if ascending else math.nan


@click.command()
@click.argument("servers", nargs=-1, required=True)
@click.option("--connections", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--batch", "batch_frames", type=click.IntRange(min=0), default=0, help="Frames per request of another connection.")
@click.option("--turns", "turn_count", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--seconds", type=float, default=0.25, show_default=True, help="The length of a turn.")
def main(servers: tuple[str, ...], connections: int, batch_frames: int, turn_count: int, seconds: float) -> None:
    """Load servers, each given as its port and process id. Print the figures of all turns and of the quietest half, for each server."""
    singles, batches = request_stream(1), request_stream(batch_frames or 1)
    turns: dict[str, list[Turn]] = {server: [] for server in servers}
    for number in range(-2, turn_count):  # two to warm up
        for server in servers:
            turn = _turn(*map(int, server.split(":")), singles, batches if batch_frames else None, connections, seconds)
            if number >= 0:
                turns[server].append(turn)
    documents: list[dict[str, Any]] = [
        {"all": figures(each, batch_frames), "quietest": figures(quietest(each), batch_frames)} for each in turns.values()
    ]
    print(json.dumps(documents))


def _turn(port: int, pid: int, singles: Iterator[bytes], batches: Iterator[bytes] | None, connections: int, seconds: float) -> Turn:
    server = psutil.Process(pid)
    turn = Turn()
    used = [Connection(port, singles, turn.taken_s) for _ in range(connections)]
    if batches is not None:
        used.append(Connection(port, batches, turn.batches_s))
    turn.record(server)
    load(used, seconds)
    turn.record(server)
    for connection in used:
        connection.socket.close()
    return turn


if __name__ == "__main__":
    main()
