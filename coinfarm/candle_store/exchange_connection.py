"""Connections to exchanges: the server to connect to, timeouts, and why a request failed."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

_CONNECT_TIMEOUT_S = 5
"""For each IP address of the exchange's host."""
_MAX_REASON_LENGTH = 300


def reason_of(error: Exception) -> str:
    """The error in one line, with its cause: ccxt's own message is often only the URL."""
    causes = [str(error), *([str(error.__cause__)] if error.__cause__ else [])]
    return " ".join(": ".join(causes).split())[:_MAX_REASON_LENGTH]


def quick_adapter() -> Any:
    """An HTTP adapter with a short timeout for connecting, and the caller's for reading."""
    from requests.adapters import HTTPAdapter

    class Adapter(HTTPAdapter):
        def send(self, request: Any, stream: bool = False, timeout: Any = None, *args: Any, **rest: Any) -> Any:
            return super().send(request, stream, (_CONNECT_TIMEOUT_S, timeout), *args, **rest)

    return Adapter()


def connection_failure(error: Exception) -> str | None:
    """Why no connection could be made, and to which host; None if there was one."""
    from requests import exceptions
    from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NameResolutionError, NewConnectionError

    cause = error.__cause__
    if not isinstance(cause, exceptions.ConnectionError) or not cause.args or not isinstance(cause.args[0], MaxRetryError):
        return None
    reason = cause.args[0].reason
    host = urlsplit(str(cause.request.url)).netloc if cause.request is not None else "the host"
    if isinstance(cause, exceptions.ProxyError):
        return f"the proxy for {host} failed ({reason})"
    if isinstance(reason, NameResolutionError):
        return f"the name {host} cannot be resolved"
    if isinstance(reason, NewConnectionError):
        return f"{host} refuses the connection"
    if isinstance(reason, ConnectTimeoutError):
        return f"{host} does not accept a connection within {_CONNECT_TIMEOUT_S} s"
    return None


def with_server(urls: Any, url: str) -> Any:
    """The URLs, in nested dictionaries, with scheme, host and port of `url`."""
    if isinstance(urls, dict):
        return {name: with_server(each, url) for name, each in urls.items()}
    target = urlsplit(url)
    return urlunsplit(urlsplit(urls)._replace(scheme=target.scheme, netloc=target.netloc)) if isinstance(urls, str) else urls
