"""The errors that are meant for a person: each names the place and the remedy."""

import errno
import os
from dataclasses import dataclass

_MAX_TEXT_LENGTH = 1000


def shortened(text: str, max_characters: int) -> str:
    """The text itself, or its beginning and an ellipsis."""
    return text if len(text) <= max_characters else f"{text[: max_characters - 1]}…"


class CoinfarmError(Exception):
    """Whatever a user, an input or a service did wrong; anything else that is raised is our own mistake."""


_REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space there, or choose a place on another disk",
    errno.EDQUOT: "your disk quota is used up: free some space there, or choose a place on another disk",
    errno.EFBIG: "the file grew beyond the largest size that is allowed here (ulimit -f): raise the limit, or choose another place",
    errno.EROFS: "the file system is read-only: choose another place",
    errno.EACCES: "permission denied: check its owner and mode, or choose another place",
    errno.EPERM: "permission denied: check its owner and mode, or choose another place",
    errno.ENOENT: "no such file or folder: check the spelling",
    errno.EISDIR: "is a folder: name a file",
    errno.ENOTDIR: "a part of this path is a file, not a folder: choose another place",
    errno.EEXIST: "exists already: choose another name, or remove it",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
    errno.EMFILE: "too many open files: raise the limit with ulimit -n",
    errno.ENFILE: "too many open files on this machine: close some programs",
    errno.ENOMEM: "not enough memory",
    errno.EIO: "the disk or device reports an error: check it, or choose another place",
    errno.ELOOP: "too many symbolic links: they may form a circle",
    errno.EADDRINUSE: "the address is in use: stop the program that uses it, or choose another port",
}


def system_error_text(error: OSError) -> str:
    """What the operating system refused, at which file where it names one, and the remedy: one line."""
    reason = _REMEDIES.get(error.errno or 0) or error.strerror or str(error) or type(error).__name__
    where = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else None
    return " ".join((f"{where}: {reason}" if where else reason).split())


class RequestError(CoinfarmError):
    """A request that is wrong at one or more places."""

    def __init__(self, *faults: "Fault") -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


@dataclass(frozen=True)
class Fault:
    """One mistake: `pointer` is where (a JSON pointer such as `/candles/17/high`), `detail` what and what to do."""

    pointer: str
    detail: str

    def __post_init__(self) -> None:
        # Either may repeat what was sent, which may be a name of megabytes: no answer and no log has room for that.
        for name in ("pointer", "detail"):
            object.__setattr__(self, name, shortened(getattr(self, name), _MAX_TEXT_LENGTH))

    def __str__(self) -> str:
        return f"{self.pointer}: {self.detail}" if self.pointer else self.detail


class MalformedRequest(RequestError):
    """A request that cannot even be read: not JSON, not an archive."""


class CandleError(RequestError):
    """Candles that cannot be: the faults point at the candle and the field."""


class TooLarge(CoinfarmError):
    """More than a limit allows; the message says which limit, and what to do instead."""


class DocumentError(CoinfarmError):
    """A stored document, such as the manifest of a run, that is damaged."""


class ModelError(CoinfarmError):
    """A model that cannot serve: missing, damaged, of another geometry, or of outputs that do not fit its manifest."""


class StorageError(CoinfarmError):
    """A place for bytes or messages refused, or could not be reached."""


class NotFound(StorageError):
    """Nothing lies there."""


class Conflict(StorageError):
    """The condition of a conditional write failed: somebody else was there first."""


class Forbidden(StorageError):
    """Access denied, or a key or URI that leads outside its root."""


class Unavailable(StorageError):
    """Throttled, timed out, cut short, or a server's error: worth another try."""
