"""The EC2 instance metadata service (IMDSv2): the current instance's id, and notices of its termination."""

import http.client
import json
import time
from http import HTTPStatus
from urllib.parse import urlsplit

from coinfarm.errors import Unavailable

_TIMEOUT_S = 2
_TOKEN_TTL_S = 300


class InstanceMetadata:
    """The metadata service at `endpoint`. Makes no request before its first use; not thread-safe."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._token = ""
        self._token_expires_s = 0.0

    def instance_id(self) -> str:
        """The instance's id. Raises `Unavailable` if the metadata service gives none."""
        instance_id = self._read("instance-id")
        if not instance_id:
            raise Unavailable(f"{self._endpoint}: the metadata service returned no instance id")
        return instance_id

    def termination_notice(self) -> str | None:
        """Why this instance will be terminated soon, or None. Raises `Unavailable` if there is no metadata service."""
        action = self._read("spot/instance-action")
        if action is not None:
            return f"spot interruption: {_field(action, 'action')} at {_field(action, 'time')}"
        rebalance = self._read("events/recommendations/rebalance")
        if rebalance is not None:
            return f"rebalance recommended at {_field(rebalance, 'noticeTime')}"
        if self._read("autoscaling/target-lifecycle-state") == "Terminated":
            return "the Auto Scaling group is terminating the instance"
        return None

    def _read(self, path: str) -> str | None:
        """A metadata item, or None if it does not exist."""
        if time.monotonic() >= self._token_expires_s:
            self._renew_token()
        status, body = self._request("GET", f"/latest/meta-data/{path}", {"X-aws-ec2-metadata-token": self._token})
        if status == HTTPStatus.UNAUTHORIZED:
            self._token_expires_s = 0.0  # the token is no longer valid, for example after the instance was stopped and started
        if status not in (HTTPStatus.OK, HTTPStatus.NOT_FOUND):
            raise Unavailable(f"{self._endpoint}: the metadata service responded with status {status}")
        return body if status == HTTPStatus.OK else None

    def _renew_token(self) -> None:
        status, body = self._request("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": str(_TOKEN_TTL_S)})
        if status != HTTPStatus.OK:
            raise Unavailable(f"{self._endpoint}: the metadata service responded with status {status} instead of a token")
        self._token, self._token_expires_s = body, time.monotonic() + _TOKEN_TTL_S / 2

    def _request(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        address = urlsplit(self._endpoint)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_TIMEOUT_S)  # ignores proxies
        try:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"{self._endpoint}: no instance metadata service ({error})") from error
        finally:
            connection.close()


def _field(document: str, name: str) -> str:
    """A field of a JSON notice, or `?`: a notice in an unknown format still counts."""
    try:
        return str(json.loads(document)[name])
    except (ValueError, KeyError, TypeError):
        return "?"
