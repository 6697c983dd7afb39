"""The start of the command."""

import subprocess
import sys

import pytest

from tests.support.repository import ROOT

INTERRUPTED_IMPORT = """
import importlib.abc, signal, sys

class Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            signal.raise_signal(signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupting())
from coinfarm.__main__ import main
main()
"""


@pytest.mark.parametrize("module", ["coinfarm.cli", "click", "coinfarm.cli.predict", "coinfarm.cli.worker"])
def test_ctrl_c_while_modules_load_ends_in_one_line(module: str) -> None:
    command = [sys.executable, "-c", INTERRUPTED_IMPORT, module]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60, start_new_session=True)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (130, "", 1)
    assert "Traceback" not in done.stderr


def test_the_module_runs_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "coinfarm", "--help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert "predict" in done.stdout
