"""Fixtures of the command line's tests."""

import os
import resource

import pytest

from coinfarm.aws.cloudformation import Stack
from coinfarm.cli import tables
from coinfarm.storage import open_storage
from handler import app
from tests.support.cli_runner import coinfarm
from tests.support.deployed_stack import description
from tests.support.fake_models import FakeEngine, promote_model
from tests.support.table_text import assert_fits


@pytest.fixture(autouse=True)
def environment():
    """Restores the variables that commands set for the handler or worker that they start."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def printed_tables_fit(monkeypatch):
    """Checks every table that a command prints into a pipe."""
    fitted = tables.fitted
    monkeypatch.setattr(tables, "fitted", lambda table, width: fitted(table, width) if assert_fits(table, width) else table)


@pytest.fixture
def new_service():
    """The handler caches its service for the lifetime of the process."""
    app.service.cache_clear()
    yield
    app.service.cache_clear()


@pytest.fixture
def limit_file_size():
    """Limits the size of the files that this process may write, which fails like a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda max_bytes: resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def constant_model(tmp_path, monkeypatch):
    """The root of the model in service, which predicts 1.5; the working directory is `tmp_path`."""
    root = tmp_path / "models"
    promote_model(open_storage(str(root)), tmp_path / "bundle", "1.5")
    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *options: FakeEngine(bundle))
    monkeypatch.setenv("MODEL_URI", str(root))
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return root


@pytest.fixture
def deployed(monkeypatch):
    """Deploys a stack with the given details of `description` under any name; returns a list of the names that are described."""

    def deploy(**details):
        described = []

        def describe(self):
            described.append(self.name)
            return description(**details)

        monkeypatch.setattr(Stack, "_description", property(describe))
        return described

    return deploy


@pytest.fixture
def on_stack(tmp_path, monkeypatch):
    """Runs `coinfarm --stack farm` with `s3://BUCKET/…` in the folder `BUCKET` of the working directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("candles_uri", "results_uri", "model_uri"):
        uri = getattr(Stack, name).fget
        monkeypatch.setattr(Stack, name, property(lambda self, uri=uri: (found := uri(self)) and found.replace("s3:/", str(tmp_path))))
    return lambda *arguments: coinfarm("--stack", "farm", *arguments)


@pytest.fixture
def stack_model(tmp_path, monkeypatch):
    """The version in service of the stack's model, which predicts 1.5."""
    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *options: FakeEngine(bundle))
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "cache"))
    return promote_model(open_storage(str(tmp_path / "models/models/btc")), tmp_path / "bundle", "1.5")
