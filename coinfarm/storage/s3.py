"""Storage in S3."""

import os
from collections.abc import Iterator
from contextlib import closing
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from coinfarm.aws.client import aws_client
from coinfarm.aws.error_translation import ErrorResponse, ServiceErrorMessages, translate_errors
from coinfarm.errors import Forbidden, NotFound, StorageError
from coinfarm.storage.protocol import CHUNK_BYTES, Blob, checked_key, conflict, save_chunks, too_large

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Storage:
    """Storage in the objects of a bucket under a prefix. An etag is S3's own, quotes included."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = f"{checked_key(prefix)}/" if prefix else ""

    def uri(self, key: str = "") -> str:
        return f"s3://{self._bucket}/{self._prefix}{key}".rstrip("/")

    def read(self, key: str, max_bytes: int | None = None) -> Blob:
        with _translate_errors(self.uri(key)):
            return self._read(key, max_bytes)

    def read_if_changed(self, key: str, etag: str | None, max_bytes: int | None = None) -> Blob | None:
        with _translate_errors(self.uri(key)):
            try:
                return self._read(key, max_bytes, etag)
            except ClientError as error:
                if ErrorResponse.from_client_error(error).status == HTTPStatus.NOT_MODIFIED:
                    return None
                raise

    def write(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        if_match: str | None = None,
        create_only: bool = False,
    ) -> str:
        request: dict[str, Any] = {**self._object(key), "Body": data, "ContentType": content_type}
        if if_match is not None:
            request["IfMatch"] = if_match
        if create_only:
            request["IfNoneMatch"] = "*"
        with _translate_errors(self.uri(key)):
            return _client().put_object(**request)["ETag"]

    def download(self, key: str, path: Path, max_bytes: int) -> None:
        with _translate_errors(self.uri(key)), closing(_client().get_object(**self._object(key))["Body"]) as body:
            save_chunks(body.iter_chunks(CHUNK_BYTES), path, max_bytes, self.uri(key))

    def list(self, prefix: str = "") -> Iterator[str]:
        with _translate_errors(self.uri(prefix)):
            pages = _client().get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
                for entry in page.get("Contents", []):
                    yield entry["Key"].removeprefix(self._prefix)

    def exists(self, key: str) -> bool:
        try:
            with _translate_errors(self.uri(key)):
                _client().head_object(**self._object(key))
        except NotFound:
            return False
        return True

    def subfolder(self, key: str) -> "S3Storage":
        return S3Storage(self._bucket, self._prefix + checked_key(key))

    def _object(self, key: str) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": checked_key(self._prefix + checked_key(key))}

    def _read(self, key: str, max_bytes: int | None, unless_etag: str | None = None) -> Blob:
        request = self._object(key)
        if unless_etag is not None:
            request["IfNoneMatch"] = unless_etag
        response = _client().get_object(**request)
        with closing(response["Body"]) as body:
            if max_bytes is not None and response["ContentLength"] > max_bytes:
                raise too_large(self.uri(key), max_bytes)
            return Blob(body.read(), response["ETag"])


@cache
def _client() -> "S3Client":
    has_endpoint = "AWS_ENDPOINT_URL_S3" in os.environ  # such as moto, which has no host name per bucket
    client: S3Client = aws_client("s3", s3={"addressing_style": "path" if has_endpoint else "auto"})
    return client


def _specific_error(where: str, response: ErrorResponse) -> StorageError | None:
    if response.status == HTTPStatus.NOT_FOUND:
        return NotFound(f"{where}: no such object or bucket")
    if response.status in (HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED):
        return conflict(where)
    if response.status == HTTPStatus.BAD_REQUEST and response.code == str(int(HTTPStatus.BAD_REQUEST)):
        # the answer to HEAD has no body that could say more
        return Forbidden(f"{where}: S3 rejects the request, as it does if the AWS credentials have expired: sign in again")
    return None


_ERROR_MESSAGES = ServiceErrorMessages(
    "S3", required_permission="read and write there", unreachable="the transfer failed", specific_error=_specific_error
)
_translate_errors = partial(translate_errors, messages=_ERROR_MESSAGES)
