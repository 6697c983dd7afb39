"""The one way to make a boto3 client: how long to wait, how often to retry, and which region."""

import os
from typing import Any

import boto3
from botocore.config import Config


def aws_client(
    service: str, *, region: str | None = None, endpoint_url: str | None = None, read_timeout_s: float = 20, **options: Any
) -> Any:
    """A client of `service`, such as `"sqs"`, with further `options` of botocore's `Config`; it sends nothing yet.

    Without `region` it is that of `AWS_REGION`, which botocore ignores, or else the profile's. Clients are thread-safe and sessions are
    not, so each client has a session of its own.
    """
    return boto3.Session().client(
        service,  # type: ignore[call-overload]  # boto3-stubs want a literal
        region_name=region or os.environ.get("AWS_REGION") or None,
        endpoint_url=endpoint_url,
        config=Config(connect_timeout=3, read_timeout=read_timeout_s, retries={"mode": "standard"}, **options),
    )
