"""`coinfarm completion`, in shells that load its script."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from coinfarm.cli import main

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
SHELLS = ["bash", "zsh", "fish"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment with `coinfarm` on the PATH and no start-up files of the user."""
    return {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}


def shell(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture
def completed(environment: dict[str, str], tmp_path: Path) -> Callable[..., list[str]]:
    """Returns the completions of the last word in bash."""
    script = tmp_path / "script"
    script.write_text(CliRunner().invoke(main, ["completion", "bash"]).stdout)

    def complete(*words: str) -> list[str]:
        command = [shell("bash"), "--norc", "-c", BASH, "bash", str(script), "coinfarm", *words]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]

    return complete


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        pytest.param(("ba",), ["backfill", "backtest"], id="commands"),
        pytest.param(("backfill", "re"), ["redrive", "resume"], id="commands of a group"),
        pytest.param(("predict", "candles.csv", "--st"), ["--stride"], id="options"),
        pytest.param(("predict", "candles.csv", "--gaps", ""), ["fill", "reject"], id="choices"),
        pytest.param(("predict", ""), ["by the shell: default", ""], id="files"),
    ],
)
def test_bash_completions(completed: Callable[..., list[str]], words: tuple[str, ...], completions: list[str]) -> None:
    assert completed(*words) == completions


def test_fish_completions(environment: dict[str, str]) -> None:
    command = [shell("fish"), "--no-config", "-c", FISH, "coinfarm ba"]
    lines = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["backfill", "backtest"]


@pytest.mark.parametrize("name", SHELLS)
def test_script_is_valid_for_the_shell(name: str) -> None:
    script = CliRunner().invoke(main, ["completion", name]).stdout
    assert "_COINFARM_COMPLETE" in script
    subprocess.run([shell(name), "-n"], input=script, text=True, check=True)


def test_completion_loads_no_heavy_packages() -> None:
    code = (
        "import os, sys\nfrom coinfarm.cli import main\n"
        "os.environ.update(_COINFARM_COMPLETE='bash_complete', COMP_WORDS='coinfarm predict --', COMP_CWORD='2')\n"
        "main(prog_name='coinfarm', standalone_mode=False)"
    )
    done = subprocess.run([sys.executable, "-X", "importtime", "-c", code], capture_output=True, text=True, check=False)
    assert "--stride" in done.stdout
    loaded = {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "click" in loaded
    assert not {"numpy", "pydantic", "rich", "boto3", "openvino", "keras"} & loaded
