"""What a service of AWS refuses, or what is lost on the way to it, as errors of `coinfarm.errors`: one translation, one table a service."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    NoRegionError,
)
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from coinfarm.errors import Forbidden, StorageError, Unavailable, system_error_text

_LOST_ON_THE_WAY = (NoConnectionError, HTTPClientError, IncompleteReadError, FlexibleChecksumError, ResponseParserError, HTTPError)


class Answer(NamedTuple):
    """A refusal, as the service words it."""

    status: int
    code: str
    message: str

    @classmethod
    def of(cls, error: ClientError) -> "Answer":
        """As it came."""
        told = error.response["Error"]
        return cls(error.response["ResponseMetadata"]["HTTPStatusCode"], told.get("Code", ""), told.get("Message", ""))

    @property
    def is_denial(self) -> bool:
        """Whether it would be another answer for another role."""
        return self.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) or "AccessDenied" in self.code

    @property
    def is_of_the_moment(self) -> bool:
        """Whether another try may do better."""
        return (
            self.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            or self.status == HTTPStatus.TOO_MANY_REQUESTS
            or "Throttl" in self.code
            or self.code == "RequestTimeout"
        )


@dataclass(frozen=True)
class Service:
    """How people are told of a service's refusals: its name, what to allow a role that is denied, what failed where none answered.

    `own_error(where, answer)` is for answers that this service alone gives, such as that nothing lies there; None leaves it to the others.
    """

    name: str
    to_allow: str
    no_answer: str
    own_error: Callable[[str, Answer], StorageError | None]


@contextmanager
def translated(where: str, service: Service) -> Iterator[None]:
    """Around calls of boto3: what they raise becomes a `StorageError` that begins with `where`, and says what to do."""
    try:
        yield
    except ClientError as error:
        raise _from_answer(where, service, error) from error
    except NoCredentialsError as error:
        raise Forbidden(f"{where}: there are no AWS credentials; configure a profile or a role") from error
    except NoRegionError as error:
        raise StorageError(f"{where}: in which region? Name it in AWS_REGION, or in the profile") from error
    except _LOST_ON_THE_WAY as error:
        raise Unavailable(f"{where}: {service.no_answer} ({error}); try again") from error
    except OSError as error:  # of a file on this machine, where it names one
        raise StorageError(system_error_text(error) if error.filename else f"{where}: {error}") from error
    except BotoCoreError as error:
        raise StorageError(f"{where}: {error}") from error


def _from_answer(where: str, service: Service, error: ClientError) -> StorageError:
    answer = Answer.of(error)
    own = service.own_error(where, answer)
    if own is not None:
        return own
    if answer.is_denial:
        return Forbidden(f"{where}: {service.name} denies access ({answer.code}); allow this role to {service.to_allow}")
    if answer.is_of_the_moment:
        return Unavailable(f"{where}: {service.name} cannot answer now ({answer.code}); try again")
    return StorageError(f"{where}: {error}")
