"""The installed wheel, used outside of a checkout."""

import contextlib
import json
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packages.conftest import BIN, ROOT, Environment, bare


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a candle file and an event."""
    shutil.copy(ROOT / "events/candles/DEMOUSD-1m.parquet", tmp_path)
    shutil.copy(ROOT / "events/direct.json", tmp_path)
    return tmp_path


def test_packages_are_those_of_the_wheel(installed: Environment, folder: Path) -> None:
    code = "import coinfarm, handler, image_render; print(*(each.__file__ for each in (coinfarm, handler, image_render)))"
    files = installed.run("python", "-c", code, folder=folder).stdout.split()
    assert {Path(file).parent.parent for file in files} == {installed.site_packages}


@pytest.mark.parametrize("command", [["predict", "DEMOUSD-1m.parquet", "--stride", "100", "--json"], ["invoke", "direct.json"]])
def test_predicts_with_the_included_model(installed: Environment, folder: Path, command: list[str]) -> None:
    result = installed.run("coinfarm", *command, folder=folder)
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    pointer = json.loads((installed.site_packages / "coinfarm/reference_model/current.json").read_text())
    assert document["model"]["version"] == pointer["version"]
    assert document["results"]


def test_example(installed: Environment, folder: Path) -> None:
    result = installed.run("coinfarm", "example", folder=folder)
    assert result.returncode == 0, result.stderr
    assert list(folder.rglob("*.png"))


def test_serves_the_api(installed: Environment, folder: Path) -> None:
    with serving(installed, folder) as url:
        for path in ("/health", "/openapi.json", "/docs"):
            with urllib.request.urlopen(f"{url}{path}") as response:
                assert response.status == 200


def test_only_backfill_demo_needs_a_checkout(installed: Environment, folder: Path) -> None:
    """It needs template.yaml. No other module refers to files outside of its package, except the one that builds the committed OpenAPI
    document.
    """
    outside = set()
    for package in ("coinfarm", "handler", "image_render"):
        for path in (ROOT / package).rglob("*.py"):
            depth = len(path.relative_to(ROOT).parts) - 1
            if any(int(number) >= depth for number in re.findall(r"__file__\)\.parents\[(\d+)\]", path.read_text())):
                outside.add(path.name)
    assert outside == {"demo_command.py", "openapi_examples.py"}
    result = installed.run("coinfarm", "backfill", "demo", folder=folder)
    assert result.returncode == 1
    assert "--template" in result.stderr
    assert "Traceback" not in result.stderr


def test_type_checker_finds_the_types(installed: Environment, folder: Path) -> None:
    (folder / "consumer.py").write_text(
        "from coinfarm.candles.files import parse_candles\n"
        "from handler.problems import problem\n"
        "from image_render.spec import FrameSpec\n"
        "parse_candles('not bytes', 'BTCUSD-1m.json')\n"
        "reveal_type(problem(ValueError()))\n"
        "reveal_type(FrameSpec().shape)\n"
    )
    options = ["--strict", "--config-file=", "--cache-dir=cache", "--python-executable", installed.python]
    output = subprocess.run(
        [BIN / "mypy", *options, "consumer.py"], cwd=folder, env=bare(folder), capture_output=True, text=True, check=False
    ).stdout
    assert 'Argument 1 to "parse_candles" has incompatible type "str"; expected "bytes"' in output
    revealed = [line.split('"')[1] for line in output.splitlines() if "Revealed type" in line]
    assert revealed == ["dict[str, Any]", "tuple[int, int, int]"]


@contextlib.contextmanager
def serving(installed: Environment, folder: Path) -> Iterator[str]:
    """Start `coinfarm serve` on a free port; yields its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [installed.python.parent / "coinfarm", "serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=folder, env=bare(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(300):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
