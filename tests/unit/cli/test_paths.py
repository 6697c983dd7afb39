"""Files that commands write: folders are created, errors are reported before the work, and no partial file is left."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import click
import pytest
from PIL import Image

from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.cli import main
from coinfarm.cli.paths import FOLDER_TO_WRITE
from tests.support.cli_runner import coinfarm
from tests.support.demo_requests import demo_candles
from tests.support.repository import ROOT

COMMAND = "import sys; from coinfarm.cli import main; sys.argv[0] = 'coinfarm'; main(prog_name='coinfarm')"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a file of 210 synthetic candles."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "DEMOUSD-1m.parquet").write_bytes(parquet_from_candles(demo_candles(210)))
    return tmp_path


def process(*arguments: object, max_bytes: int | None = None, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    """Run the command in its own process, which cannot write files larger than `max_bytes`."""

    def limit() -> None:
        if max_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, max_bytes))

    return subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, arguments)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        preexec_fn=limit,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_missing_folder_is_created() -> None:
    shown = coinfarm("render", "DEMOUSD-1m.parquet", "-o", "new/deeper/chart.png")
    assert shown.exit_code == 0, shown.output
    with Image.open("new/deeper/chart.png") as picture:
        assert picture.width


def writing_options() -> list[tuple[str, click.Option]]:
    """Every option of a command that names a file, folder or root to write."""

    def walk(name: str, command: click.Command) -> list[tuple[str, click.Option]]:
        if isinstance(command, click.Group):
            return [found for each, child in command.commands.items() for found in walk(f"{name} {each}".strip(), child)]
        return [(name, option) for option in command.params if isinstance(option, click.Option)]

    written = {"--output", "--report", "--export", "--tensorboard"}
    return [(name, option) for name, option in walk("", main) if written & set(option.opts)]


@pytest.mark.parametrize(("command", "option"), writing_options(), ids=lambda value: value if isinstance(value, str) else value.opts[-1])
def test_every_output_option_is_checked_before_the_work(command: str, option: click.Option, folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(click.BadParameter, match="file"):
        option.type.convert("file/below", option, click.Context(main))


def test_output_options_are_found() -> None:
    assert len(writing_options()) >= 13


def test_rejects_a_file_as_an_output_folder(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(click.BadParameter):
        FOLDER_TO_WRITE.convert("file", None, None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_permission_is_reported_before_the_work(folder: Path) -> None:
    (folder / "closed").mkdir(mode=0o500)
    shown = coinfarm("render", "DEMOUSD-1m.parquet", "-o", "closed/chart.png")
    assert shown.exit_code == 2
    assert "closed/chart.png" in shown.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("example", "-o", "example"), id="example"),
        pytest.param(("history", "import", "DEMOUSD-1m.parquet", "--store", "new"), id="import"),
    ],
)
def test_full_disk_names_the_file(arguments: tuple[str, ...], folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["MODEL_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))
    if arguments[0] == "example":
        assert process("example", "-o", "first").returncode == 0  # caches the model
        (folder / "first/chart.png").unlink()
    ended = process(*arguments, max_bytes=1000)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("Error: ")
    assert arguments[-1] in last
    assert not [path for path in folder.rglob("*") if path.is_file() and path.name != "DEMOUSD-1m.parquet"]


def test_full_disk_behind_stdout_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        ended = process("predict", "DEMOUSD-1m.parquet", "--csv", stdout=full.fileno())
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: standard output ")
    assert ended.stderr.count("\n") == 1


def test_unreadable_file_is_one_line(folder: Path) -> None:
    (folder / "results").mkdir()
    shown = coinfarm("backtest", "--predictions", "results", "--candles", folder / "DEMOUSD-1m.parquet")
    assert shown.exit_code == 1
    assert "Traceback" not in shown.stderr
