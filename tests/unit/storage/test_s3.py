"""What is particular to a storage in S3: requests, pages and errors."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber

from coinfarm.errors import Conflict, Forbidden, NotFound, StorageError
from coinfarm.storage import open_storage, s3
from coinfarm.storage.s3 import S3Storage


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """S3's responses, which the test writes itself."""
    client = boto3.client("s3")
    monkeypatch.setattr(s3, "_client", lambda: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, {}),
        ({"content_type": "text/html"}, {"ContentType": "text/html"}),
        ({"if_match": "old"}, {"IfMatch": "old"}),
        ({"create_only": True}, {"IfNoneMatch": "*"}),
    ],
    ids=str,
)
def test_a_write_is_one_request(options: dict[str, object], parameters: dict[str, str], stub: Stubber) -> None:
    expected = {"Bucket": "bucket", "Key": "root/key", "Body": b"data", "ContentType": "application/octet-stream", **parameters}
    stub.add_response("put_object", {"ETag": "new"}, expected)
    assert open_storage("s3://bucket/root").write("key", b"data", **options) == "new"  # type: ignore[arg-type]


def test_a_conditional_read_names_the_etag(stub: Stubber) -> None:
    expected = {"Bucket": "bucket", "Key": "root/key", "IfNoneMatch": "old"}
    stub.add_client_error("get_object", http_status_code=304, expected_params=expected)
    assert open_storage("s3://bucket/root").read_if_changed("key", "old") is None


def test_lists_every_page(stub: Stubber) -> None:
    first, second = ({"Bucket": "bucket", "Prefix": "root/b", **more} for more in ({}, {"ContinuationToken": "next"}))
    stub.add_response("list_objects_v2", {"Contents": [{"Key": "root/b1"}], "IsTruncated": True, "NextContinuationToken": "next"}, first)
    stub.add_response("list_objects_v2", {"Contents": [{"Key": "root/b2"}], "IsTruncated": False}, second)
    assert list(open_storage("s3://bucket/root").list("b")) == ["b1", "b2"]


@pytest.mark.parametrize(
    ("status", "error"), [(404, NotFound), (409, Conflict), (412, Conflict), (403, Forbidden), (400, StorageError)], ids=str
)
def test_translates_error_responses(status: int, error: type[StorageError], stub: Stubber, tmp_path: Path) -> None:
    storage = open_storage("s3://bucket/root")
    uses = {
        "get_object": [
            lambda: storage.read("key"),
            lambda: storage.read_if_changed("key", "etag"),
            lambda: storage.download("key", tmp_path / "copy", 1),
        ],
        "put_object": [lambda: storage.write("key", b"")],
        "list_objects_v2": [lambda: list(storage.list("key"))],
    }
    for method, calls in uses.items():
        for call in calls:
            stub.add_client_error(method, http_status_code=status)
            with pytest.raises(error, match="s3://bucket/root/key") as raised:
                call()
            assert type(raised.value) is error


@pytest.mark.parametrize(("status", "code"), [(403, "403"), (400, "400"), (400, "ExpiredToken")])
def test_whether_a_key_exists_may_be_unknown(status: int, code: str, stub: Stubber) -> None:
    """With expired credentials the response to HEAD has no code."""
    expected = {"Bucket": "bucket", "Key": "key"}
    stub.add_client_error("head_object", service_error_code=code, http_status_code=status, expected_params=expected)
    with pytest.raises(Forbidden, match=r"s3://bucket/key" if status == 403 else r"s3://bucket/key.*expired"):
        open_storage("s3://bucket").exists("key")


@pytest.mark.parametrize(("endpoint", "style"), [(None, "auto"), ("http://127.0.0.1:9", "path")])
def test_a_server_that_plays_s3_needs_no_host_name_for_each_bucket(
    endpoint: str | None, style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
    s3._client.cache_clear()
    client = s3._client()
    assert client.meta.config.s3["addressing_style"] == style
    assert s3._client() is client
    s3._client.cache_clear()


def test_rejects_a_prefix_that_leads_up_or_is_too_long_with_its_key() -> None:
    with pytest.raises(Forbidden):
        S3Storage("bucket", "../up")
    with pytest.raises(Forbidden):
        S3Storage("bucket", "/".join(["a" * 200] * 5)).read("b" * 20)
