"""The wheel as a user has it: installed, in a folder that is no checkout."""

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
    """Somewhere else, with a file of candles and an event in it."""
    shutil.copy(ROOT / "events/candles/DEMOUSD-1m.parquet", tmp_path)
    shutil.copy(ROOT / "events/direct.json", tmp_path)
    return tmp_path


def test_its_packages_are_those_of_the_wheel(installed: Environment, folder: Path) -> None:
    code = "import coinfarm, handler, image_render; print(*(each.__file__ for each in (coinfarm, handler, image_render)))"
    where = installed.run("python", "-c", code, folder=folder).stdout.split()
    assert {Path(file).parent.parent for file in where} == {installed.site_packages}


def test_it_tells_its_version(installed: Environment, folder: Path) -> None:
    assert re.match(r"coinfarm \d+\.\d+\.\d+\nPython ", installed.run("coinfarm", "--version", folder=folder).stdout)


def test_it_predicts_a_file_of_candles_with_the_model_that_it_carries(installed: Environment, folder: Path) -> None:
    shown = installed.run("coinfarm", "predict", "DEMOUSD-1m.parquet", "--stride", "100", "--json", folder=folder)
    assert shown.returncode == 0, shown.stderr
    answer = json.loads(shown.stdout)
    carried = json.loads((installed.site_packages / "coinfarm/reference_model/current.json").read_text())
    assert answer["model"]["version"] == carried["version"]
    assert answer["results"]


def test_it_shows_its_example(installed: Environment, folder: Path) -> None:
    shown = installed.run("coinfarm", "example", folder=folder)
    assert shown.returncode == 0, shown.stderr
    assert list(folder.rglob("*.png"))


def test_its_handler_answers_an_event(installed: Environment, folder: Path) -> None:
    shown = installed.run("coinfarm", "invoke", "direct.json", folder=folder)
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["results"]


def test_it_serves(installed: Environment, folder: Path) -> None:
    with serving(installed, folder) as address:
        for path in ("/health", "/openapi.json", "/docs"):
            with urllib.request.urlopen(f"{address}{path}") as answer:
                assert answer.status == 200


def test_what_needs_a_checkout_says_so(installed: Environment, folder: Path) -> None:
    shown = installed.run("coinfarm", "backfill", "demo", folder=folder)
    assert shown.returncode == 1
    assert "name the template.yaml of a checkout or a source distribution with --template" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_type_checker_sees_its_types(installed: Environment, folder: Path) -> None:
    (folder / "consumer.py").write_text(
        "from coinfarm.candles.files import parse_candles\n"
        "from handler.problems import problem\n"
        "from image_render.spec import FrameSpec\n"
        "parse_candles('not bytes', 'BTCUSD-1m.json')\n"
        "reveal_type(problem(ValueError()))\n"
        "reveal_type(FrameSpec().shape)\n"
    )
    options = ["--strict", "--config-file=", "--cache-dir=cache", "--python-executable", installed.python]
    shown = subprocess.run(
        [BIN / "mypy", *options, "consumer.py"], cwd=folder, env=bare(folder), capture_output=True, text=True, check=False
    ).stdout
    assert 'Argument 1 to "parse_candles" has incompatible type "str"; expected "bytes"' in shown
    revealed = [line.split('"')[1] for line in shown.splitlines() if "Revealed type" in line]
    assert revealed == ["dict[str, Any]", "tuple[int, int, int]"]


@contextlib.contextmanager
def serving(installed: Environment, folder: Path) -> Iterator[str]:
    """`coinfarm serve` on a free port, once it answers."""
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
