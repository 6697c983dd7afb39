"""Creates boto3 clients with the project's timeouts, retries and region."""

import os
from typing import Any

import boto3
from botocore.config import Config


def aws_client(
    service: str, *, region: str | None = None, endpoint_url: str | None = None, read_timeout_s: float = 20, **options: Any
) -> Any:
    """A client of `service`, such as `"sqs"`, with further `options` for botocore's `Config`. Makes no request.

    The region defaults to `AWS_REGION`, which botocore ignores, then to the profile's. Each client has its own session, because clients
    are thread-safe and sessions are not.
    """
    return boto3.Session().client(
        service,  # type: ignore[call-overload]  # boto3-stubs want a literal
        region_name=region or os.environ.get("AWS_REGION") or None,
        endpoint_url=endpoint_url,
        config=Config(connect_timeout=3, read_timeout=read_timeout_s, retries={"mode": "standard"}, **options),
    )
