"""tools/environment.sh, with fake Pythons that log their arguments."""

import shutil
import subprocess

import pytest

from tests.support.repository import ROOT

PYTHON = """#!/bin/sh
version={version}
minor=$(echo $version | cut -d. -f2)
case "$1 $2" in
  "-c "*"not (3, 11) <="*) [ $minor -ge 11 ] && [ $minor -le 13 ] ;;
  "-c "*) echo $version ;;
  "-m venv") rm -rf "$4" && mkdir -p "$4/bin" && cp "$0" "$4/bin/python" && echo "venv $version" >>"$LOG" ;;
  "-m pip") [ "$3" = --version ] || echo "pip $*" >>"$LOG" ;;
esac
"""


class Machine:
    """A checkout in a folder with a space in its name, and a PATH with fake Pythons."""

    def __init__(self, folder):
        self.checkout, self._bin, self._log = folder / "a checkout", folder / "bin", folder / "log"
        (self.checkout / "tools").mkdir(parents=True)
        self._bin.mkdir()
        for name in ("tools/environment.sh", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, self.checkout / name)

    def install_python(self, name, version):
        path = self._bin / name
        path.write_text(PYTHON.format(version=version))
        path.chmod(0o755)
        return path

    def environment(self, what, **settings):
        variables = {"PATH": f"{self._bin}:/usr/bin:/bin", "LOG": str(self._log), **settings}
        command = [self.checkout / "tools/environment.sh", what]
        return subprocess.run(command, env=variables, cwd="/", capture_output=True, text=True, check=False)

    def log(self):
        """What was installed since the last call: `venv VERSION`, `pip EXTRAS`."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        self._log.unlink(missing_ok=True)
        return [line if line.startswith("venv") else f"pip {line.rpartition('[')[2].rstrip(']')}" for line in lines]


@pytest.fixture
def machine(tmp_path):
    made = Machine(tmp_path)
    for name in ("python3", "python3.13", "python3.12", "python3.11"):  # hide those of this machine
        made.install_python(name, "3.9.1")
    return made


@pytest.fixture
def installed(machine):
    """A machine with an environment of Python 3.11.7."""
    machine.install_python("python3", "3.11.7")
    machine.environment("run")
    assert machine.log() == ["venv 3.11.7", "pip serve"]
    return machine


@pytest.mark.parametrize("version", ["3.11.0", "3.13.1"])
def test_installs_once_and_prints_the_required_space(machine, version):
    machine.install_python("python3", version)
    done = machine.environment("run")
    assert done.returncode == 0, done.stderr
    assert {version, "GB"} <= set(done.stdout.split())
    assert machine.log() == [f"venv {version}", "pip serve"]
    assert machine.environment("run").stdout == ""
    assert machine.log() == []


def test_develop_installs_more_and_includes_run(machine):
    machine.install_python("python3", "3.12.4")
    machine.environment("run")
    machine.log()
    machine.environment("develop")
    assert machine.log() == ["pip serve,bench,compile,dev"]
    machine.environment("run")
    machine.environment("develop")
    assert machine.log() == []


@pytest.mark.parametrize(
    ("version", "settings", "named"),
    [("3.10.13", {}, "3.10.13"), ("3.14.0", {}, "3.14.0"), ("3.11.0", {"PYTHON": "/nowhere/python3"}, "/nowhere/python3")],
    ids=["too old", "too new", "missing"],
)
def test_rejects_an_unsupported_python_before_installing(machine, version, settings, named):
    machine.install_python("python3", version)
    rejected = machine.environment("run", **settings)
    assert (rejected.returncode, named in rejected.stderr) == (1, True)
    assert machine.log() == []
    assert not (machine.checkout / ".venv").exists()


def test_replaces_the_environment_of_an_unsupported_python_by_a_supported_one(machine):
    old = machine.checkout / ".venv/bin"
    old.mkdir(parents=True)
    shutil.copy(machine.install_python("python3.10", "3.10.13"), old / "python")
    machine.install_python("python3.12", "3.12.4")
    assert machine.environment("python").stdout == "python3.12\n"
    assert machine.environment("run").returncode == 0
    assert machine.log() == ["venv 3.12.4", "pip serve"]


def test_replaces_the_environment_of_another_python_than_the_given_one(installed):
    other = installed.install_python("other", "3.13.1")
    installed.environment("run", PYTHON=str(other))
    assert installed.log() == ["venv 3.13.1", "pip serve"]
    installed.environment("run")  # keeps the Python given before
    assert installed.log() == []


def test_installs_a_changed_list_of_packages_and_replaces_the_environment_of_a_moved_checkout(installed):
    with (installed.checkout / "constraints.txt").open("a") as file:
        file.write("another==1.0\n")
    installed.environment("run")
    assert installed.log() == ["pip serve"]
    installed.checkout = installed.checkout.rename(installed.checkout.with_name("moved"))
    installed.environment("run")
    assert installed.log() == ["venv 3.11.7", "pip serve"]


def test_repeats_an_interrupted_installation(machine):
    machine.install_python("python3", "3.11.7")
    machine.environment("run")
    python = machine.checkout / ".venv/bin/python"
    python.write_text(python.read_text().replace('"-m pip")', '"-m pip") [ "$3" = --version ] && exit; exit 1 ;; "")'))
    machine.log()
    assert machine.environment("develop").returncode == 1
    shutil.rmtree(machine.checkout / ".venv")
    assert machine.environment("develop").returncode == 0
    assert machine.log() == ["venv 3.11.7", "pip serve,bench,compile,dev"]
