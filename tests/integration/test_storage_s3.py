"""S3 storage over HTTP: moto's server, and a server that fails as S3 may."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coinfarm.errors import Conflict, Forbidden, NotFound, StorageError, Unavailable
from coinfarm.storage import Storage, open_storage
from tests.support.http_server import QuietHandler, Respond, response, serving


def test_a_missing_object_or_bucket_is_not_found(storage: Storage, tmp_path: Path) -> None:
    assert not storage.exists("key")
    for use in (storage.read, lambda key: storage.download(key, tmp_path / "copy", 1), open_storage("s3://no-such-bucket").read):
        with pytest.raises(NotFound, match="s3://"):
            use("key")


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


def s3_error(code: str, status: int) -> Respond:
    return response(f"<Error><Code>{code}</Code></Error>", status)


def test_a_truncated_body_is_unavailable(responses: list[Respond], tmp_path: Path) -> None:
    storage = open_storage("s3://bucket")
    responses += [response("x" * 100, sent_bytes=10, ETag='"1"')] * 2
    with pytest.raises(Unavailable, match="s3://bucket/key"):
        storage.read("key")
    with pytest.raises(Unavailable, match="s3://bucket/key"):
        storage.download("key", tmp_path / "copy", max_bytes=100)


def test_retries_if_s3_is_busy(responses: list[Respond]) -> None:
    responses += [s3_error("SlowDown", 503), response("at last", ETag='"1"')]
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
    status: int, code: str, error: type[StorageError], responses: list[Respond], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    responses.append(s3_error(code, status))
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
