"""Fixtures: S3 on moto's server over HTTP, the handler with settings, a fake exchange, a candle store and a metadata service."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from coinfarm.candle_store.store import CandleStore
from coinfarm.storage import open_storage
from handler import app
from tests.support.backfill_environment import QueuedBackfill, SharedResources
from tests.support.fake_exchange import FakeBinanceUs
from tests.support.metadata_service import MetadataService
from tests.support.moto_server import moto_server

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture(scope="module")
def s3() -> "Iterator[S3Client]":
    """S3 with three empty buckets; the process's own client uses it too."""
    with moto_server("AWS_ENDPOINT_URL_S3"):
        client = boto3.client("s3")
        for bucket in ("candles", "models", "results"):
            client.create_bucket(Bucket=bucket)
        yield client


@pytest.fixture(scope="module")
def container(s3: "S3Client", tmp_path_factory: pytest.TempPathFactory) -> Callable[..., AbstractContextManager[None]]:
    """`with container(MODEL_URI=…)`: a cold start of the handler with these settings."""

    @contextmanager
    def container(**settings: str) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MODEL_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
            patch.setenv("CANDLES_ROOT", "s3://candles")
            patch.setenv("RESULTS_ROOT", "s3://results")
            for name, value in settings.items():
                patch.setenv(name, value)
            app.service.cache_clear()
            yield
        app.service.cache_clear()

    return container


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedResources]:
    with moto_server("AWS_ENDPOINT_URL") as endpoint:
        yield SharedResources.create(endpoint, tmp_path_factory.mktemp("resources"))


@pytest.fixture
def backfill(resources: SharedResources, tmp_path: Path) -> QueuedBackfill:
    return QueuedBackfill(resources, tmp_path)


@pytest.fixture
def binance() -> Iterator[FakeBinanceUs]:
    with FakeBinanceUs.running() as exchange:
        yield exchange


@pytest.fixture
def store(tmp_path: Path) -> CandleStore:
    """A store in an empty folder."""
    return CandleStore(open_storage(str(tmp_path / "store")))


@pytest.fixture
def metadata() -> Iterator[MetadataService]:
    with MetadataService.running() as server:
        yield server
