"""Bundles kept on disk, so that neither this process nor its neighbour downloads a version twice."""

import hashlib
import logging
import os
import shutil
import stat
import tempfile
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from coinfarm.errors import Forbidden, ModelError, StorageError
from coinfarm.models.bundle import Bundle
from coinfarm.models.store import ModelSource
from coinfarm.models.version import checked_version
from coinfarm.storage.folder import folder_lock

logger = logging.getLogger(__name__)

_KEPT_VERSIONS = 3


def default_cache_dir() -> Path:
    """The cache folder of this user, such as `~/.cache/coinfarm/models`.

    On Lambda, and where there is no home folder or it cannot be written, it is a folder of this user in the temporary folder.
    """
    from platformdirs import user_cache_path

    try:
        cache = user_cache_path("coinfarm") / "models"
        if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ and cache.is_absolute() and _is_writable(cache):
            return cache
    except (RuntimeError, PermissionError):  # a user without a home, as in many containers; a home that belongs to another user
        pass
    return Path(tempfile.gettempdir()) / f"coinfarm-models-{os.getuid()}"


class BundleCache:
    """A folder that the threads and processes of one user may share: one of them downloads, the others wait for it.

    What is in it is trusted: its files are compared with the manifest that lies beside them. So nobody else may be able to write there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def bundle(self, source: ModelSource, version: str) -> Bundle:
        """A version, from disk if it lies there unharmed, else fetched; checked against its sha256 either way.

        Raises as `ModelSource.fetch`, `StorageError` if the folder cannot be written, and `Forbidden` if another user can write to it.
        """
        # two models may well have a version of the same name
        _make_private(self._folder)
        home = self._folder / hashlib.sha256(source.uri.encode()).hexdigest()[:16]
        folder = home / checked_version(version)
        try:
            home.mkdir(parents=True, exist_ok=True)
            with folder_lock(home):
                bundle = _unharmed(folder) or _fetched(source, version, folder)
                os.utime(folder)
                _remove_old(home)
        except OSError as error:
            raise _unusable(home, error) from error
        return bundle


def _is_writable(folder: Path) -> bool:
    """Whether the folder can be written, or made."""
    nearest = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


def _make_private(folder: Path) -> None:
    """Make the folder, for this user alone. Raises `StorageError`, and `Forbidden` where others can write to it or own it."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        # A link that another user made would lead wherever they want.
        owners, mode = {folder.lstat().st_uid, folder.stat().st_uid}, folder.stat().st_mode
    except OSError as error:
        raise _unusable(folder, error) from error
    if owners != {os.geteuid()}:
        raise Forbidden(f"the model cache {folder} belongs to another user: set MODEL_CACHE_DIR to a folder of your own")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Forbidden(f"other users can write to the model cache {folder}: chmod go-w {folder}, or set MODEL_CACHE_DIR to another folder")


def _unusable(folder: Path, error: OSError) -> StorageError:
    return StorageError(f"{folder} cannot hold a model ({error.strerror}): set MODEL_CACHE_DIR to a writable folder with free space")


def _unharmed(folder: Path) -> Bundle | None:
    if not folder.exists():
        return None
    try:
        return Bundle.open(folder)
    except ModelError as error:
        logger.warning("The model is fetched again: %s", error)
        return None


def _fetched(source: ModelSource, version: str, folder: Path) -> Bundle:
    """In a folder of its own until it is whole, so that a process that dies leaves nothing that looks like a bundle."""
    fresh = folder.with_name(f".{uuid4().hex}")
    fresh.mkdir()
    try:
        bundle = source.fetch(version, fresh)
        if folder.exists():
            shutil.rmtree(folder)
        fresh.replace(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return replace(bundle, folder=folder)


def _remove_old(home: Path) -> None:
    """All but the versions used last, and what a process left behind that died while it fetched."""
    versions = [entry for entry in home.iterdir() if not entry.name.startswith(".")]
    versions.sort(key=lambda entry: entry.stat().st_mtime_ns, reverse=True)
    for entry in home.iterdir():
        if entry not in versions[:_KEPT_VERSIONS]:
            shutil.rmtree(entry)
