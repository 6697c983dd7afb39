"""Translates the errors of boto3 into those of `coinfarm.errors`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    LoginError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from coinfarm.errors import Forbidden, StorageError, Unavailable, system_error_text

_SIGN_IN_ERRORS = (
    CredentialRetrievalError,
    LoginError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
_INVALID_CREDENTIALS = {
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException", "RequestExpired"), "the AWS credentials have expired"),
    **dict.fromkeys(
        ("InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken", "SignatureDoesNotMatch", "UnrecognizedClientException"),
        "AWS does not know these credentials",
    ),
}
_CONNECTION_ERRORS = (NoConnectionError, HTTPClientError, IncompleteReadError, FlexibleChecksumError, ResponseParserError, HTTPError)


class ErrorResponse(NamedTuple):
    """An error response of an AWS service: HTTP status, error code and message."""

    status: int
    code: str
    message: str

    @classmethod
    def from_client_error(cls, error: ClientError) -> "ErrorResponse":
        """The response that boto3 raised as `error`."""
        fields = error.response["Error"]
        return cls(error.response["ResponseMetadata"]["HTTPStatusCode"], fields.get("Code", ""), fields.get("Message", ""))

    @property
    def is_access_denied(self) -> bool:
        """Whether the role lacks a permission."""
        return self.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) or "AccessDenied" in self.code

    @property
    def is_transient(self) -> bool:
        """Whether a retry may succeed."""
        return (
            self.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            or self.status == HTTPStatus.TOO_MANY_REQUESTS
            or "Throttl" in self.code
            or self.code == "RequestTimeout"
        )


@dataclass(frozen=True)
class ServiceErrorMessages:
    """The parts of error messages that are specific to one AWS service."""

    service: str
    required_permission: str
    """Completes "allow this role to …"."""
    unreachable: str
    """The message when there is no response."""
    specific_error: Callable[[str, ErrorResponse], StorageError | None]
    """Translates responses that only this service gives; returns None for all others. Its first argument begins the message."""


@contextmanager
def translate_errors(where: str, messages: ServiceErrorMessages) -> Iterator[None]:
    """Turn what boto3 raises in the body into a `StorageError` whose message begins with `where` and names the remedy."""
    try:
        yield
    except ClientError as error:
        raise _from_response(where, messages, error) from error
    except NoCredentialsError as error:
        raise Forbidden(f"{where}: no AWS credentials found; configure a profile or a role") from error
    except _SIGN_IN_ERRORS as error:
        remedy = "check the profile, or sign in again, for example with aws sso login"
        raise Forbidden(f"{where}: no AWS credentials can be had ({' '.join(str(error).split())}): {remedy}") from error
    except NoRegionError as error:
        raise StorageError(f"{where}: no AWS region is configured; set AWS_REGION, or a region in the profile") from error
    except _CONNECTION_ERRORS as error:
        raise Unavailable(f"{where}: {messages.unreachable} ({error}); try again") from error
    except OSError as error:  # from a local file if it has a file name
        raise StorageError(system_error_text(error) if error.filename else f"{where}: {error}") from error
    except BotoCoreError as error:
        raise StorageError(f"{where}: {error}") from error


def _from_response(where: str, messages: ServiceErrorMessages, error: ClientError) -> StorageError:
    response = ErrorResponse.from_client_error(error)
    specific = messages.specific_error(where, response)
    if specific is not None:
        return specific
    if response.code in _INVALID_CREDENTIALS:
        return Forbidden(f"{where}: {_INVALID_CREDENTIALS[response.code]} ({response.code}): sign in again, for example with aws sso login")
    if response.is_access_denied:
        return Forbidden(f"{where}: {messages.service} denies access ({response.code}); allow this role to {messages.required_permission}")
    if response.is_transient:
        return Unavailable(f"{where}: {messages.service} is unavailable ({response.code}); try again")
    return StorageError(f"{where}: {error}")
