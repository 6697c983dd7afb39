"""A live store, and a service with the reference model."""

import pytest

from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings
from coinfarm.storage.folder import FolderStorage


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    return Service(Settings(model_cache_dir=tmp_path_factory.mktemp("cache"), prediction_cache_frames=0))


@pytest.fixture
def store(tmp_path):
    return LiveStore(FolderStorage(tmp_path))


@pytest.fixture
def feed():
    return LiveFeed("binanceus", "1m")
