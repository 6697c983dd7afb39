"""`coinfarm completion`, in shells that load its script."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli_runner import coinfarm

BASH = """
source "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
compopt() { printf 'by the shell: %s\\n' "$2"; }
_coinfarm_completion coinfarm
printf '%s\\n' "${COMPREPLY[@]}"
"""
FISH = """
coinfarm completion fish | source
complete --do-complete "$argv"
"""


@pytest.fixture
def environment(tmp_path):
    """An environment with `coinfarm` on the PATH and no start-up files of the user."""
    return {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}


def shell(name):
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        pytest.param(("ba",), ["backfill", "backtest"], id="commands"),
        pytest.param(("backfill", "re"), ["redrive", "resume"], id="commands of a group"),
        pytest.param(("predict", "candles.csv", "--st"), ["--stride"], id="options"),
        pytest.param(("predict", "candles.csv", "--gaps", ""), ["fill", "reject", "skip"], id="choices"),
        pytest.param(("predict", ""), ["by the shell: default", ""], id="files"),
    ],
)
def test_bash_completions(environment, tmp_path, words, completions):
    (tmp_path / "script").write_text(coinfarm("completion", "bash").stdout)
    command = [shell("bash"), "--norc", "-c", BASH, "bash", "./script", "coinfarm", *words]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:-1] == completions


def test_fish_completions(environment):
    command = [shell("fish"), "--no-config", "-c", FISH, "coinfarm ba"]
    lines = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["backfill", "backtest"]


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_script_is_valid_for_the_shell(name):
    script = coinfarm("completion", name).stdout
    assert "_COINFARM_COMPLETE" in script
    subprocess.run([shell(name), "-n"], input=script, text=True, check=True)


def test_completion_loads_no_heavy_packages():
    code = (
        "import os, sys\nfrom coinfarm.cli import main\n"
        "os.environ.update(_COINFARM_COMPLETE='bash_complete', COMP_WORDS='coinfarm predict --', COMP_CWORD='2')\n"
        "main(prog_name='coinfarm', standalone_mode=False)"
    )
    done = subprocess.run([sys.executable, "-X", "importtime", "-c", code], capture_output=True, text=True, check=False)
    assert "--stride" in done.stdout
    loaded = {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert {"click", "numpy", "pydantic", "rich", "boto3", "openvino", "keras"} & loaded == {"click"}
