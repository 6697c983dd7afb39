"""Errors that are shown to users: each message says where the problem is and how to fix it."""

import errno
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_MAX_TEXT_LENGTH = 1000


def shortened(text: str, max_characters: int) -> str:
    """The text itself, or its beginning and an ellipsis."""
    return text if len(text) <= max_characters else f"{text[: max_characters - 1]}…"


class CoinfarmError(Exception):
    """An error caused by a user, an input or a service. Any other exception is a bug."""


_REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space there, or choose a place on another disk",
    errno.EDQUOT: "your disk quota is used up: free some space there, or choose a place on another disk",
    errno.EFBIG: "the file exceeds the size limit (ulimit -f): raise the limit, or choose another place",
    errno.EROFS: "the file system is read-only: choose another place",
    errno.EACCES: "permission denied: check its owner and mode, or choose another place",
    errno.EPERM: "permission denied: check its owner and mode, or choose another place",
    errno.ENOENT: "no such file or folder: check the spelling",
    errno.EISDIR: "is a folder, not a file",
    errno.ENOTDIR: "a part of this path is a file, not a folder: choose another place",
    errno.EEXIST: "already exists: choose another name, or remove it",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
    errno.EMFILE: "too many open files: raise the limit with ulimit -n",
    errno.ENFILE: "too many open files on this machine: close some programs",
    errno.ENOMEM: "not enough memory",
    errno.EIO: "the disk or device reports an error: check it, or choose another place",
    errno.ELOOP: "too many symbolic links: they may form a loop",
    errno.EADDRINUSE: "the address is in use: stop the program that uses it, or choose another port",
}


def system_error_text(error: OSError) -> str:
    """The operating system's error in one line: the file, if the error names one, the reason and the remedy."""
    reason = _REMEDIES.get(error.errno or 0) or error.strerror or str(error) or type(error).__name__
    where = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else None
    return " ".join((f"{where}: {reason}" if where else reason).split())


class InvalidInput(CoinfarmError):
    """An input with one or more errors, which `errors` lists."""

    def __init__(self, *errors: "ErrorDetail") -> None:
        super().__init__("; ".join(str(error) for error in errors))
        self.errors = errors


@dataclass(frozen=True)
class ErrorDetail:
    """One error: its place as a JSON pointer, such as `/candles/17/high`, and what is wrong there."""

    pointer: str
    detail: str

    def __post_init__(self) -> None:
        # Either may quote the request, whose strings may be megabytes long: too long for a response or a log.
        for name in ("pointer", "detail"):
            object.__setattr__(self, name, shortened(getattr(self, name), _MAX_TEXT_LENGTH))

    def __str__(self) -> str:
        return f"{self.pointer}: {self.detail}" if self.pointer else self.detail


def error_details(errors: Iterable[Mapping[str, Any]]) -> list[ErrorDetail]:
    """The details of pydantic's errors."""
    return [ErrorDetail("".join(f"/{part}" for part in error["loc"]), str(error["msg"])) for error in errors]


class MalformedRequest(InvalidInput):
    """A request that cannot be parsed as JSON or as an archive."""


class CandleWarning(UserWarning):
    """What was dropped from candles that were read, or looks wrong in them."""


class CandleError(InvalidInput):
    """Invalid candles; `errors` name candle and field."""


class TooLarge(CoinfarmError):
    """More than a limit allows; the message names the limit and what to do instead."""


class DocumentError(CoinfarmError):
    """A damaged stored document, such as the manifest of a run."""


class ModelError(CoinfarmError):
    """A model that cannot be used: missing, damaged, for frames of another shape, or with outputs that do not match its manifest."""


class StorageError(CoinfarmError):
    """A storage, queue or other AWS service rejected a call or could not be reached."""


class NotFound(StorageError):
    """A bucket, object, queue, stack or version that does not exist."""


class Conflict(StorageError):
    """The condition of a conditional write failed, because of another writer."""


class Forbidden(StorageError):
    """Access denied, or a key or URI outside its root."""


class Unavailable(StorageError):
    """Throttled, timed out, interrupted, or a server error: a retry may succeed."""
