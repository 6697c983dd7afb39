import tomllib
from unittest.mock import Mock

import pytest

from coinfarm import extras
from coinfarm.cli import main
from coinfarm.extras import MissingPackage, missing_package, require
from tests.support.cli_runner import coinfarm
from tests.support.repository import ROOT

OPTIONAL = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
DISTRIBUTIONS = {"sklearn": "scikit-learn", "yaml": "pyyaml"}


def installed_by(extra):
    """The requirements of an extra, and of those that it contains."""
    text = " ".join(OPTIONAL[extra])
    contained = [name for name in OPTIONAL if f"coinfarm[{name}]" in text]
    return " ".join([text, *map(installed_by, contained)])


@pytest.mark.parametrize(("package", "extra"), extras._EXTRAS.items())
def test_each_extra_installs_its_package(package, extra):
    assert DISTRIBUTIONS.get(package, package) in installed_by(extra)


def test_a_missing_package_is_reported_with_its_extra(monkeypatch):
    require("training", "keras", "tensorflow")
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "tensorflow" else name)
    with pytest.raises(MissingPackage, match=r"tensorflow.*coinfarm\[keras\]"):
        require("training", "keras", "tensorflow")


def test_other_failed_imports_are_not_missing_packages():
    assert missing_package(ModuleNotFoundError(name="numpy"), "a test") is None
    assert missing_package(ModuleNotFoundError(), "a test") is None


def test_a_command_without_its_package_fails_without_a_traceback(monkeypatch):
    monkeypatch.setattr(main.commands["completion"], "callback", Mock(side_effect=ModuleNotFoundError(name="keras.layers")))
    shown = coinfarm("completion", "bash")
    assert (shown.exit_code, "coinfarm[keras]" in shown.stderr) == (1, True)
