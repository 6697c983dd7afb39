"""Fixtures of the command line's tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from coinfarm.storage import open_storage
from tests.support.fake_models import FakeEngine, promote_model


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Restores the variables that commands set for the handler or worker that they start."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def constant_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of the model in service, which predicts 1.5; the working directory is `tmp_path`."""
    root = tmp_path / "models"
    promote_model(open_storage(str(root)), tmp_path / "bundle", "1.5")
    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *options: FakeEngine(bundle))
    monkeypatch.setenv("MODEL_URI", str(root))
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return root
