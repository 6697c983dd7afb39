"""The load generator of `python -m benchmarks.serve_load`."""

import json
import socket
import threading
import time
from itertools import islice, repeat

import pytest

from benchmarks.load_client import Connection, CpuTimes, Turn, figures, load, percentile, quietest, request_stream


@pytest.fixture
def answering():
    """Start a server that sends the parts of each response with a pause between them; returns its port."""
    servers = []

    def start(*parts):
        def serve(connection):
            with connection:
                while connection.recv(1 << 16):
                    for part in parts:
                        connection.sendall(part)
                        time.sleep(0.01)

        def accept():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)
        threading.Thread(target=accept, daemon=True).start()
        return server.getsockname()[1]

    yield start
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


@pytest.mark.enable_socket
def test_measures_complete_responses_on_every_connection(answering):
    port = answering(b"HTTP/1.1 200 OK\r\nContent-", b"Length: 4\r\n\r\n", b"ab", b"cd")
    taken_s = [[], []]
    connections = [Connection(port, repeat(b"request"), each) for each in taken_s]
    load(connections, 0.3)
    for connection in connections:
        connection.socket.close()
    for each in taken_s:
        assert 2 <= len(each) <= 11
        assert min(each) >= 0.03


@pytest.mark.enable_socket
@pytest.mark.parametrize("response", [b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", b""])
def test_a_failed_response_ends_the_measurement(answering, response):
    connection = Connection(answering(response or b"x"), repeat(b"request"), [])
    if not response:
        connection.socket.shutdown(socket.SHUT_RD)
    with pytest.raises(ConnectionError):
        load([connection], 0.1)
    connection.socket.close()


def test_requests_differ_and_have_their_length():
    for frames in (1, 100):
        requests = list(islice(request_stream(frames), 5))
        assert len(set(requests)) == 5
        for request in requests:
            head, _, body = request.partition(b"\r\n\r\n")
            assert f"Content-Length: {len(body)}".encode() in head
            assert len(json.loads(body)["candles"]) == 199 + frames


def turn(taken_ms, other_s, seconds=2.0):
    cpu = [CpuTimes(1, 10, 100), CpuTimes(1.1, 12, 102.1 + other_s)]
    turn = Turn([each / 1000 for each in taken_ms], [0.1] * 3)
    turn.cpu.extend(cpu)
    turn.times.extend([5.0, 5.0 + seconds])
    return turn


def test_figures_of_the_quietest_half():
    turns = [turn([9] * 4, 3), turn([1, 2], 0.5), turn([8], 2), turn([3, 4], 1)]
    chosen = quietest(turns)
    assert [len(each.taken_s) for each in chosen] == [2, 2]
    assert figures(chosen, 100) == pytest.approx(
        {
            "requestsPerS": 1.0,
            "p50Ms": 2.0,
            "p99Ms": 4.0,
            "batchFramesPerS": 150.0,
            "clientCores": 0.05,
            "serverCores": 1.0,
            "otherCores": 0.375,
        }
    )


def test_percentiles_are_measured_values():
    assert [percentile(range(1, 101), share) for share in (0.0, 0.5, 0.99, 1.0)] == [1, 50, 99, 100]
    assert percentile([7.0], 0.99) == 7.0
