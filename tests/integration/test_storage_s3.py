"""S3 storage over HTTP, from a server that fails as S3 may."""

from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from coinfarm.errors import Forbidden, Unavailable
from coinfarm.storage import open_storage
from coinfarm.storage import s3 as storage_s3
from tests.support.http_server import QuietHandler, Respond, response, serving


@pytest.fixture
def point_s3_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Points the S3 client of the process at another endpoint."""

    def point(url: str) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        storage_s3._client.cache_clear()

    yield point
    storage_s3._client.cache_clear()


@pytest.fixture
def responses(point_s3_at: Callable[[str], None]) -> Iterator[list[Respond]]:
    """The next responses of a server that plays S3."""
    waiting: list[Respond] = []

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            waiting.pop(0)(self)

    with serving(Handler) as url:
        point_s3_at(url)
        yield waiting


def test_a_truncated_body_is_unavailable(responses: list[Respond], tmp_path: Path) -> None:
    storage = open_storage("s3://bucket")
    responses += [response("x" * 100, sent_bytes=10, ETag='"1"')] * 2
    with pytest.raises(Unavailable, match="s3://bucket/key"):
        storage.read("key")
    with pytest.raises(Unavailable, match="s3://bucket/key"):
        storage.download("key", tmp_path / "copy", max_bytes=100)


def test_retries_if_s3_is_busy(responses: list[Respond]) -> None:
    responses += [response("<Error><Code>SlowDown</Code></Error>", 503), response("at last", ETag='"1"')]
    assert open_storage("s3://bucket").read("key").data == b"at last"


def test_a_refused_connection_is_unavailable(point_s3_at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    point_s3_at("http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="s3://bucket/key"):
        open_storage("s3://bucket").read("key")


def test_missing_credentials_are_forbidden(point_s3_at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    point_s3_at("http://127.0.0.1:9")
    with pytest.raises(Forbidden, match="credentials"):
        open_storage("s3://bucket").read("key")
