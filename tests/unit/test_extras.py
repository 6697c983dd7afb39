"""Optional packages: what is missing is named with the command that installs it."""

import tomllib

import pytest
from click.testing import CliRunner

from coinfarm import extras
from coinfarm.cli import main
from coinfarm.extras import MissingPackage, missing_package, require
from tests.support.repository import ROOT

OPTIONAL = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
DISTRIBUTIONS = {"yaml": "pyyaml"}


def installed_by(extra: str) -> str:
    """The requirements of an extra, and of those that it contains."""
    text = " ".join(OPTIONAL[extra])
    contained = [name for name in OPTIONAL if f"coinfarm[{name}]" in text]
    return " ".join([text, *map(installed_by, contained)])


@pytest.mark.parametrize(("package", "extra"), extras._EXTRAS.items())
def test_each_extra_installs_its_package(package: str, extra: str) -> None:
    assert DISTRIBUTIONS.get(package, package) in installed_by(extra)


def test_what_is_installed_is_not_asked_for() -> None:
    require("a test", "keras", "tensorflow")


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "tensorflow" else name)
    with pytest.raises(MissingPackage, match=r"training needs tensorflow.*pip install 'coinfarm\[keras\]'"):
        require("training", "keras", "tensorflow")


def test_a_failed_import_of_another_package_is_no_missing_extra() -> None:
    assert missing_package(ModuleNotFoundError(name="numpy"), "a test") is None
    assert missing_package(ModuleNotFoundError(), "a test") is None


def test_a_command_that_lacks_a_package_ends_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ModuleNotFoundError(name="keras.layers")

    monkeypatch.setattr(main.commands["completion"], "callback", lambda **_: fail())
    shown = CliRunner().invoke(main, ["completion", "bash"])
    assert shown.exit_code == 1
    assert "coinfarm[keras]" in shown.stderr
