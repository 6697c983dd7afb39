"""`coinfarm serve`: an address that cannot be used is said before the model loads."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from coinfarm.cli import main
from coinfarm.cli.sockets import bound_sockets, port_of
from coinfarm.errors import CoinfarmError
from tests.support.repository import ROOT

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails where the server is begun."""
    import uvicorn

    def run(*_: object) -> None:
        raise AssertionError("the server was started")

    monkeypatch.setattr(uvicorn.Server, "run", run)


@pytest.mark.usefixtures("no_model")
def test_a_port_in_use_is_said_before_the_model_loads() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        shown = CliRunner().invoke(main, ["serve", "--port", str(port)])
    assert shown.exit_code == 1
    assert str(port) in shown.stderr
    assert "--port" in shown.stderr
    assert shown.stderr.count("\n") == 1


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid", "300.1.2.3", "x" * 300])
def test_an_address_that_is_not_this_machines_is_said(host: str) -> None:
    shown = CliRunner().invoke(main, ["serve", "--host", host, "--port", "0"])
    assert shown.exit_code == 1
    assert f"--host {host}" in shown.stderr


def test_a_port_that_needs_permission_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(CoinfarmError, match="80"), bound_sockets("127.0.0.1", 80):
        pass


def test_all_addresses_of_a_host_get_the_same_port() -> None:
    with bound_sockets("localhost", 0) as sockets:
        assert len({port_of(each) for each in sockets}) == 1
        assert port_of(sockets[0])


def test_port_0_prints_the_real_one_and_ctrl_c_ends_with_130(tmp_path: Path) -> None:
    command = "from coinfarm.cli import main; main(prog_name='coinfarm')"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MODEL_CACHE_DIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", command, "serve", "--port", "0"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=environment,
    ) as process:
        assert process.stderr is not None
        said = ""
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)", said)):
            line = process.stderr.readline()
            assert line, said
            said += line
        with urllib.request.urlopen(f"{found[0]}/health", timeout=10) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert rest.splitlines()[-1].startswith("Stopped.")
