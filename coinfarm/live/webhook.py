"""A webhook: posts each prediction as JSON, or as what a template makes of it."""

import json
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from coinfarm.errors import CoinfarmError, Unavailable
from coinfarm.live.live_message import EXAMPLE_MESSAGE, message_line

_CONNECT_TIMEOUT_S, _READ_TIMEOUT_S = 3.05, 10
_MAX_READ_BYTES = 10_000
"""Responses of unknown length, or longer ones, are not read: they may have no end."""
_RETRIED_STATUS = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)


class BodyTemplate:
    """A Jinja2 template, whose variables are the fields of a message. It runs in a sandbox: it cannot call Python.

    Its filter `iso_time` is the function below.
    """

    def __init__(self, source: str) -> None:
        """Raises `CoinfarmError` for a template that cannot be rendered with `EXAMPLE_MESSAGE`."""
        from jinja2 import StrictUndefined, TemplateError
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        try:
            environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
            environment.filters["iso_time"] = iso_time
            self._template = environment.from_string(source)
        except TemplateError as error:
            raise CoinfarmError(f"the webhook's template is invalid: {error}") from None
        self.body(EXAMPLE_MESSAGE)

    @classmethod
    def read(cls, file: Path) -> "BodyTemplate":
        """The template in a file. Raises `CoinfarmError` if it is not text or cannot be rendered."""
        try:
            return cls(file.read_text("utf-8"))
        except UnicodeDecodeError:
            raise CoinfarmError(f"{file} is not text in UTF-8: save the webhook's template as UTF-8") from None

    def body(self, message: dict[str, Any]) -> str:
        """The rendered text. Raises `CoinfarmError` for a variable that the message does not have."""
        from jinja2 import TemplateError

        try:
            return self._template.render(message)
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise CoinfarmError(f"the webhook's template cannot be rendered: {error}") from None


class Webhook:
    """Posts to `url`, over one connection that is kept open. Proxies of the environment are used."""

    def __init__(self, url: str, template: BodyTemplate | None = None) -> None:
        """Raises `CoinfarmError` for anything but an HTTP URL."""
        import requests

        try:
            parts = urlsplit(url)
            is_usable = parts.scheme in ("http", "https") and parts.port != 0  # `port` raises an error for one that is not a number
        except ValueError:
            is_usable = False
        if not is_usable or not parts.hostname:
            raise CoinfarmError("the URL of the webhook is not one of HTTP: use one like https://bot.example/hook")
        self.host = parts.hostname
        self._url = url
        self._template = template
        self._session = requests.Session()

    def send(self, message: dict[str, Any]) -> None:
        """Post a message, unless the template makes nothing of it. Redirects are not followed.

        Raises `Unavailable` if a retry may succeed, and `CoinfarmError` if the server rejects it. The message of neither contains the URL,
        which may be a secret.
        """
        import requests

        body = message_line(message) if self._template is None else self._template.body(message)
        if not body.strip():
            return
        headers = {"Content-Type": "application/json" if _is_json(body) else "text/plain; charset=utf-8"}
        try:
            timeout = (_CONNECT_TIMEOUT_S, _READ_TIMEOUT_S)
            with self._session.post(
                self._url, body.encode(), headers=headers, timeout=timeout, allow_redirects=False, stream=True
            ) as response:
                status = response.status_code
                length = response.headers.get("Content-Length", "")
                if length.isdecimal() and int(length) <= _MAX_READ_BYTES:
                    _ = response.content  # so that the connection can be used again
        except requests.RequestException as error:
            raise Unavailable(f"{self.host} cannot be reached ({type(error).__name__})") from None
        if status in _RETRIED_STATUS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unavailable(f"{self.host} answers with HTTP {status}")
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            raise CoinfarmError(f"{self.host} answers with HTTP {status}")


def iso_time(time_ms: int) -> str:
    """A time in milliseconds UTC as ISO 8601."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
