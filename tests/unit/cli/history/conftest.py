"""A runner for `coinfarm history` in an empty folder."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.support.cli_runner import coinfarm


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `coinfarm history ARGUMENTS --store store` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: coinfarm("history", *arguments, "--store", "store")
