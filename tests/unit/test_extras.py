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


def test_accepts_installed_packages() -> None:
    require("a test", "keras", "tensorflow")


def test_a_missing_package_is_reported_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "tensorflow" else name)
    with pytest.raises(MissingPackage, match=r"tensorflow.*coinfarm\[keras\]"):
        require("training", "keras", "tensorflow")


def test_other_failed_imports_are_not_missing_packages() -> None:
    assert missing_package(ModuleNotFoundError(name="numpy"), "a test") is None
    assert missing_package(ModuleNotFoundError(), "a test") is None


def test_a_command_without_its_package_fails_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ModuleNotFoundError(name="keras.layers")

    monkeypatch.setattr(main.commands["completion"], "callback", lambda **_: fail())
    shown = CliRunner().invoke(main, ["completion", "bash"])
    assert shown.exit_code == 1
    assert "coinfarm[keras]" in shown.stderr
