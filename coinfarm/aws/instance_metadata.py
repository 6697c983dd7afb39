"""What the EC2 instance that we run on tells about itself: its id, and whether it is about to be taken away (IMDSv2)."""

import http.client
import json
import time
from http import HTTPStatus
from urllib.parse import urlsplit

from coinfarm.errors import Unavailable

_TIMEOUT_S = 2
_TOKEN_S = 300


class InstanceMetadata:
    """The metadata service at an endpoint; nothing is asked of it yet. For one thread."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._token = ""
        self._token_ends = 0.0

    def instance_id(self) -> str:
        """Raises `Unavailable` where no instance metadata can be had."""
        found = self._read("instance-id")
        if not found:
            raise Unavailable(f"{self._endpoint}: the metadata service names no instance")
        return found

    def termination_notice(self) -> str | None:
        """Why this instance ends soon, or None. Raises `Unavailable` where no instance metadata can be had."""
        action = self._read("spot/instance-action")
        if action is not None:
            return f"spot interruption: {_told(action, 'action')} at {_told(action, 'time')}"
        rebalance = self._read("events/recommendations/rebalance")
        if rebalance is not None:
            return f"rebalance recommended at {_told(rebalance, 'noticeTime')}"
        if self._read("autoscaling/target-lifecycle-state") == "Terminated":
            return "the Auto Scaling group takes the instance away"
        return None

    def _read(self, path: str) -> str | None:
        """None where the service has no such thing now."""
        if time.monotonic() >= self._token_ends:
            self._renew_token()
        status, body = self._ask("GET", f"/latest/meta-data/{path}", {"X-aws-ec2-metadata-token": self._token})
        if status == HTTPStatus.UNAUTHORIZED:
            self._token_ends = 0.0  # it was forgotten, as when the instance was stopped and started
        if status not in (HTTPStatus.OK, HTTPStatus.NOT_FOUND):
            raise Unavailable(f"{self._endpoint}: the metadata service answers {status}")
        return body if status == HTTPStatus.OK else None

    def _renew_token(self) -> None:
        status, body = self._ask("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": str(_TOKEN_S)})
        if status != HTTPStatus.OK:
            raise Unavailable(f"{self._endpoint}: the metadata service answers {status} instead of a token")
        self._token, self._token_ends = body, time.monotonic() + _TOKEN_S / 2

    def _ask(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        address = urlsplit(self._endpoint)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_TIMEOUT_S)  # by no proxy
        try:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"{self._endpoint}: there is no instance metadata ({error})") from error
        finally:
            connection.close()


def _told(document: str, name: str) -> str:
    """A field of a notice; a notice that is written otherwise is a notice all the same."""
    try:
        return str(json.loads(document)[name])
    except (ValueError, KeyError, TypeError):
        return "?"
