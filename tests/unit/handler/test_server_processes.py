"""`coinfarm serve --workers 2`: processes that share a port, cores and metrics, and end together."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import httpx
import psutil
import pytest

from coinfarm.engines.cores import available_cores
from tests.support.demo_requests import demo_request
from tests.support.repository import ROOT
from tests.support.scraped_metrics import ScrapedMetrics

pytestmark = [pytest.mark.enable_socket, pytest.mark.skipif(sys.platform != "linux", reason="needs Linux' /proc")]

WAIT_S = 60


@contextmanager
def serving(log, *options, **variables):
    """The process of the server, which writes to the file `log`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MODEL_CACHE_DIR": str(log.parent), **variables}
    environment.pop("MODEL_URI")
    command = [sys.executable, "-c", "from coinfarm.cli import main; main(prog_name='coinfarm')", "serve", "--port", "0", *options]
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(condition):
    deadline = time.monotonic() + WAIT_S
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def url_in(log):
    return wait_for(lambda: re.search(r"Serving on (http://[\d.:]+)", log.read_text()))[1]


def servers(process):
    """The processes that answer requests."""
    found = []
    for child in psutil.Process(process.pid).children():
        with suppress(psutil.Error):  # it has just ended
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return found


def server_ids(process):
    return {child.pid for child in servers(process)}


def get_metrics(url):
    return ScrapedMetrics(httpx.get(f"{url}/metrics", trust_env=False).text)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


def test_processes_share_port_and_metrics_are_replaced_and_stop_together(log):
    with serving(log, "--workers", "2") as process:
        url = url_in(log)
        for _ in range(6):
            assert httpx.post(f"{url}/predictions", json=demo_request(), trust_env=False).status_code == 200
        metrics = get_metrics(url)
        assert metrics.value("coinfarm_http_requests_total", route="/predictions", status="200") == 6
        assert metrics.value("coinfarm_http_requests_in_progress") == 1
        first = server_ids(process)
        assert {int(pid) for pid in metrics.label_values("process_resident_memory_bytes", "pid")} == first
        assert len(first) == 2

        os.kill(min(first), signal.SIGKILL)
        second = wait_for(lambda: len(found := server_ids(process)) == 2 and found != first and found)
        wait_for(lambda: f"{min(first)} ended (SIGKILL)" in log.read_text())
        wait_for(lambda: {int(pid) for pid in get_metrics(url).label_values("process_resident_memory_bytes", "pid")} == second)
        assert get_metrics(url).value("coinfarm_http_requests_total", route="/predictions", status="200") == 6

        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT_S) == 130
        assert log.read_text().splitlines()[-1].startswith("Stopped.")
        assert "Traceback" not in log.read_text()
        assert not [pid for pid in second if psutil.pid_exists(pid)]


def test_each_process_has_its_share_of_the_threads(log):
    with serving(log, "--workers", "2") as process:
        url_in(log)
        threads = {child.environ()["ENGINE_THREADS"] for child in servers(process)}
        process.terminate()
        assert process.wait(WAIT_S) == -signal.SIGTERM
    assert threads == {str(max(1, available_cores() // 2))}


def test_processes_end_with_their_parent(log):
    with serving(log, "--workers", "2") as process:
        url_in(log)
        children = servers(process)
        process.kill()
        process.wait(WAIT_S)
        assert psutil.wait_procs(children, timeout=WAIT_S)[1] == []


def test_an_invalid_setting_ends_all(log):
    with serving(log, "--workers", "2", MAX_FRAMES="few") as process:
        assert process.wait(WAIT_S) == 3
    assert "MAX_FRAMES='few'" in log.read_text()
    assert "Traceback" not in log.read_text()
