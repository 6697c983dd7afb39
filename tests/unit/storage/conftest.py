"""A storage in a folder, and one in S3, which moto plays in the process."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from coinfarm.storage import Storage, open_storage, s3


@pytest.fixture
def folder(tmp_path: Path) -> Storage:
    return open_storage(str(tmp_path / "root"))


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The URI of an S3 bucket."""
    s3._client.cache_clear()
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="bucket")
        yield "s3://bucket"
    s3._client.cache_clear()


@pytest.fixture(params=["folder", "S3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """An empty one of each kind."""
    if request.param == "folder":
        return open_storage(str(tmp_path / "root"))
    bucket = request.getfixturevalue("bucket")
    return open_storage(f"{bucket}/{tmp_path.name}/root")
