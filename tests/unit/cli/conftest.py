"""Fixtures of the command line's tests."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from coinfarm.aws.cloudformation import Stack
from coinfarm.storage import open_storage
from tests.support.cli_runner import coinfarm
from tests.support.deployed_stack import description
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


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Deploys a stack with the given details of `description` under any name; returns a list of the names that are described."""

    def deploy(**details: Any) -> list[str]:
        described: list[str] = []

        def describe(self: Stack) -> dict[str, Any]:
            described.append(self.name)
            return description(**details)

        monkeypatch.setattr(Stack, "_description", property(describe))
        return described

    return deploy


@pytest.fixture
def on_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `coinfarm --stack farm` with `s3://BUCKET/…` in the folder `BUCKET` of the working directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("candles_uri", "results_uri", "model_uri"):
        uri = getattr(Stack, name).fget
        monkeypatch.setattr(Stack, name, property(lambda self, uri=uri: (found := uri(self)) and found.replace("s3:/", str(tmp_path))))
    return lambda *arguments: coinfarm("--stack", "farm", *arguments)


@pytest.fixture
def stack_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The version in service of the stack's model, which predicts 1.5."""
    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *options: FakeEngine(bundle))
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "cache"))
    return promote_model(open_storage(str(tmp_path / "models/models/btc")), tmp_path / "bundle", "1.5")
