"""Cross-origin requests (CORS): from which web pages a browser may call the API. `CORS_ORIGINS` lists them; without it, from none."""

from typing import Any

from aws_lambda_powertools.event_handler import CORSConfig

_EXPOSED_HEADERS = ["Allow", "Retry-After", "x-amzn-RequestId"]
"""The headers of responses that a page may read, besides those that every page may."""
_MAX_AGE_S = 7200
"""How long a browser remembers what it may send; Chromium's limit."""


def cors_config(origins: tuple[str, ...]) -> CORSConfig | None:
    """The configuration for these origins, `*` for all; None if there are none. Pages send keys in headers of their own, not in cookies."""
    if not origins:
        return None
    first, *others = origins
    return CORSConfig(first, others, expose_headers=_EXPOSED_HEADERS, max_age=_MAX_AGE_S)


def cors_headers(config: CORSConfig | None, origin: str | None) -> dict[str, str]:
    """The headers for a response to a page of `origin`."""
    if config is None:
        return {}
    return config.to_dict(config.allowed_origin(origin) if origin else None) | _vary(config)


def with_vary(config: CORSConfig | None, response: dict[str, Any]) -> dict[str, Any]:
    """The response, which a cache may not give to pages of other origins: Powertools leaves this out."""
    for name, value in _vary(config).items() if config else ():
        if "multiValueHeaders" in response:
            response["multiValueHeaders"][name] = [value]
        else:
            response["headers"][name] = value
    return response


def _vary(config: CORSConfig) -> dict[str, str]:
    return {} if config.allowed_origin("") == "*" else {"Vary": "Origin"}
