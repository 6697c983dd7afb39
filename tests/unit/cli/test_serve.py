"""`coinfarm serve`: the address, the port and the end."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from unittest.mock import Mock

import pytest

from coinfarm.cli.sockets import bound_sockets, port_of
from coinfarm.errors import CoinfarmError
from tests.support.cli_runner import coinfarm
from tests.support.repository import ROOT

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def no_server(monkeypatch):
    """Fails if the server is started."""
    monkeypatch.setattr("uvicorn.Server.run", lambda *_: pytest.fail("the server was started"))


@pytest.mark.usefixtures("no_server")
def test_port_in_use_is_reported_before_the_model_loads():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        shown = coinfarm("serve", "--port", port)
    assert (shown.exit_code, shown.stderr.count("\n"), str(port) in shown.stderr) == (1, 1, True)


@pytest.mark.usefixtures("no_server")
@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid", "x" * 300])
def test_address_of_another_machine_is_reported(host):
    shown = coinfarm("serve", "--host", host, "--port", 0)
    assert (shown.exit_code, host in shown.stderr) == (1, True)


@pytest.mark.usefixtures("no_server")
def test_unknown_exchange_is_reported_at_the_start(monkeypatch):
    monkeypatch.setenv("EXCHANGE", "")  # the option sets it for the server
    shown = coinfarm("serve", "--port", 0, "--exchange", "nosuch")
    assert (shown.exit_code, "ccxt has no exchange 'nosuch'" in shown.stderr) == (3, True)


def test_port_that_needs_root_is_reported(monkeypatch):
    monkeypatch.setattr(socket.socket, "bind", Mock(side_effect=PermissionError(13, "Permission denied")))
    with pytest.raises(CoinfarmError, match="80"), bound_sockets("127.0.0.1", 80):
        pass


def test_all_addresses_of_a_host_share_a_port():
    with bound_sockets("localhost", 0) as sockets:
        assert len({port_of(each) for each in sockets}) == 1
        assert port_of(sockets[0])


def test_port_0_prints_the_chosen_port_and_ctrl_c_exits_with_130(tmp_path):
    command = [sys.executable, "-c", "from coinfarm.cli import main; main(prog_name='coinfarm')", "serve", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MODEL_CACHE_DIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment) as process:
        log = ""
        while not (url := re.search(r"http://127\.0\.0\.1:(\d+)", log)):
            line = process.stderr.readline()
            assert line, log
            log += line
        with urllib.request.urlopen(f"{url[0]}/health", timeout=10) as response:
            assert response.status == 200
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert rest.splitlines()[-1].startswith("Stopped.")
