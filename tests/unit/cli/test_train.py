"""`coinfarm train` in a process of its own: interrupted, and on a full disk."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.repository import ROOT
from tests.support.tiny_training import write_tiny_training

pytestmark = pytest.mark.tensorflow


def start(folder: Path, **options: Any) -> "subprocess.Popen[str]":
    """Start the command on the tiny config, in a process group of its own, like a terminal."""
    code = "from coinfarm.cli import main; main(prog_name='coinfarm')"
    arguments = [sys.executable, "-c", code, "train", str(folder / "tiny.toml"), "-o", str(folder / "bundle")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True, **options)


def test_continues_after_ctrl_c(tmp_path: Path) -> None:
    write_tiny_training(tmp_path, epochs=40)
    process = start(tmp_path)
    assert process.stderr is not None
    before = ""
    while "epoch 2 " not in before:
        line = process.stderr.readline()
        assert line, before
        before += line
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert f"coinfarm train {tmp_path / 'tiny.toml'} -o {tmp_path / 'bundle'}" in stderr.splitlines()[-1]
    assert not (tmp_path / "bundle").exists()
    repeated = start(tmp_path)
    _, stderr = repeated.communicate(timeout=120)
    assert repeated.returncode == 0, stderr
    assert "epoch 1 " not in stderr, "the first epoch is not repeated"
    assert (tmp_path / "bundle/manifest.json").is_file()


@pytest.mark.parametrize("max_bytes", [500, 5_000])
def test_names_the_file_that_does_not_fit_on_the_disk(max_bytes: int, tmp_path: Path) -> None:
    write_tiny_training(tmp_path)
    process = start(tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, max_bytes)))
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1, stderr
    assert "Traceback" not in stderr
    last = stderr.splitlines()[-1]
    assert last.startswith("Error: ")
    assert str(tmp_path / "bundle.training") in last
    assert not (tmp_path / "bundle").exists()
