"""Files that commands write: folders are created, errors are reported before the work, and no partial file is left."""

import os
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


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The working directory, with a file of 210 synthetic candles."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "DEMOUSD-1m.parquet").write_bytes(parquet_from_candles(demo_candles(210)))
    return tmp_path


def test_missing_folder_is_created():
    shown = coinfarm("render", "DEMOUSD-1m.parquet", "-o", "new/deeper/chart.png")
    assert shown.exit_code == 0, shown.output
    with Image.open("new/deeper/chart.png") as picture:
        assert picture.width


def options(command):
    """The options of a command and its subcommands."""
    return [*command.params, *(option for each in getattr(command, "commands", {}).values() for option in options(each))]


def test_every_output_option_is_checked_before_the_work(folder):
    (folder / "file").write_text("")
    writing = [option for option in options(main) if {"--output", "--report", "--export", "--tensorboard"} & set(option.opts)]
    assert len(writing) >= 13
    for option in writing:
        with pytest.raises(click.BadParameter, match="file"):
            option.type.convert("file/below", option, click.Context(main))


def test_rejects_a_file_as_an_output_folder(folder):
    (folder / "file").write_text("")
    with pytest.raises(click.BadParameter):
        FOLDER_TO_WRITE.convert("file", None, None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_permission_is_reported_before_the_work(folder):
    (folder / "closed").mkdir(mode=0o500)
    shown = coinfarm("render", "DEMOUSD-1m.parquet", "-o", "closed/chart.png")
    assert shown.exit_code == 2
    assert "closed/chart.png" in shown.stderr


@pytest.mark.parametrize("arguments", [("example", "-o", "example"), ("history", "import", "DEMOUSD-1m.parquet", "--store", "new")])
def test_full_disk_names_the_file(arguments, folder, constant_model, new_service, limit_file_size):
    if arguments[0] == "example":
        assert coinfarm("example", "-o", "first").exit_code == 0  # caches the model
    before = {path for path in folder.rglob("*") if path.is_file()}
    limit_file_size(1_000)
    shown = coinfarm(*arguments)
    assert shown.exit_code == 1
    last = shown.stderr.splitlines()[-1]
    assert last.startswith("Error: ")
    assert arguments[-1] in last
    assert {path for path in folder.rglob("*") if path.is_file()} == before


def test_full_disk_behind_stdout_is_one_line():
    command = [sys.executable, "-c", "from coinfarm.cli import main; main()", "predict", "DEMOUSD-1m.parquet", "--csv"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=full, stderr=subprocess.PIPE, check=False)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith(b"Error: standard output ")
    assert ended.stderr.count(b"\n") == 2  # the first line names the candles


def test_unreadable_file_is_one_line(folder):
    (folder / "results").mkdir()
    shown = coinfarm("backtest", "--predictions", "results", "--candles", folder / "DEMOUSD-1m.parquet")
    assert shown.exit_code == 1
    assert "Traceback" not in shown.stderr
