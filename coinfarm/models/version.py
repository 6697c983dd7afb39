"""The version of a model: its spelling, what it is derived from, and the keys of its files under a model root."""

import hashlib
import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from coinfarm.errors import NotFound

MANIFEST_FILE = "manifest.json"
_VERSION = r"^([0-9]{8}|bare)-[0-9a-f]{8}$"

Version = Annotated[str, Field(pattern=_VERSION)]


def is_version(text: str) -> bool:
    """Whether `text` is spelled like a version, `20260131-0a1b2c3d` or `bare-0a1b2c3d`, and so is safe in a path."""
    return re.fullmatch(_VERSION, text) is not None


def checked_version(version: str) -> str:
    """The version itself; raises `NotFound` if it is not spelled like one."""
    if not is_version(version):
        raise NotFound(f"{version!r} is not a version of a model: versions look like 20260131-0a1b2c3d")
    return version


def bundle_key(version: str, file: str = MANIFEST_FILE) -> str:
    """The key of a version's file under a model root; raises as `checked_version`."""
    return f"versions/{checked_version(version)}/{file}"


def fingerprint_of(member_sha256s: Sequence[str]) -> str:
    """The end of a version: the first 8 hex digits of the only member's sha256, or of the sha256 over those of several."""
    if len(member_sha256s) == 1:
        return member_sha256s[0][:8]
    return hashlib.sha256("".join(member_sha256s).encode()).hexdigest()[:8]
