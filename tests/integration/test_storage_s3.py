"""S3 storage over HTTP: moto's server, and a server that fails as S3 may."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coinfarm.errors import Conflict, Forbidden, NotFound, StorageError, Unavailable
from coinfarm.storage import Storage, open_storage
from tests.support.failing_server import FailingServer


def test_a_missing_object_or_bucket_is_not_found(storage: Storage, tmp_path: Path) -> None:
    assert not storage.exists("key")
    for use in (storage.read, lambda key: storage.download(key, tmp_path / "copy", 1), open_storage("s3://no-such-bucket").read):
        with pytest.raises(NotFound, match="s3://"):
            use("key")


@pytest.fixture
def failing(point_s3_at: Callable[[str], None]) -> Iterator[FailingServer]:
    server = FailingServer()
    point_s3_at(server.url)
    yield server
    server.close()


SLOW_DOWN = (503, b"<Error><Code>SlowDown</Code></Error>", 100)


def test_a_truncated_body_is_unavailable(failing: FailingServer, tmp_path: Path) -> None:
    storage = open_storage("s3://bucket")
    failing.responses += [(200, b"x" * 100, 10)] * 2
    with pytest.raises(Unavailable, match="s3://bucket/key"):
        storage.read("key")
    with pytest.raises(Unavailable, match="s3://bucket/key"):
        storage.download("key", tmp_path / "copy", max_bytes=100)


def test_retries_if_s3_is_busy(failing: FailingServer) -> None:
    failing.responses += [SLOW_DOWN, (200, b"at last", 100)]
    assert open_storage("s3://bucket").read("key").data == b"at last"


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (503, "SlowDown", Unavailable),
        (403, "AccessDenied", Forbidden),
        (409, "ConditionalRequestConflict", Conflict),
        (400, "InvalidRequest", StorageError),
    ],
)
def test_an_error_response_of_s3_becomes_an_error_class(
    status: int, code: str, error: type[StorageError], failing: FailingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    failing.responses.append((status, f"<Error><Code>{code}</Code></Error>".encode(), 100))
    with pytest.raises(error, match="s3://bucket/key") as raised:
        open_storage("s3://bucket").read("key")
    assert type(raised.value) is error


def test_a_refused_connection_is_unavailable(point_s3_at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    point_s3_at("http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="s3://bucket/key"):
        open_storage("s3://bucket").read("key")


def test_missing_credentials_are_forbidden(point_s3_at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    point_s3_at("http://127.0.0.1:9")
    with pytest.raises(Forbidden, match="credentials"):
        open_storage("s3://bucket").read("key")
