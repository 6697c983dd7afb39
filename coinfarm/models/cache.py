"""Bundles cached on disk, so that the processes of one machine download a version once."""

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
from coinfarm.models.model_source import ModelSource
from coinfarm.models.version import checked_version
from coinfarm.storage.folder import folder_lock
from coinfarm.storage.local_file import nearest_existing

logger = logging.getLogger(__name__)

_MAX_VERSIONS = 3


def default_cache_dir() -> Path:
    """The cache folder of this user, such as `~/.cache/coinfarm/models`.

    On Lambda, and without a writable home folder, it is a folder of this user in the temporary folder.
    """
    from platformdirs import user_cache_path

    try:
        cache = user_cache_path("coinfarm") / "models"
        if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ and cache.is_absolute() and _is_writable(cache):
            return cache
    except (RuntimeError, PermissionError):  # a user without a home, as in many containers; the home of another user
        pass
    return Path(tempfile.gettempdir()) / f"coinfarm-models-{os.getuid()}"


class BundleCache:
    """A folder that the threads and processes of one user may share: one of them downloads, the others wait.

    Its content is trusted: files are only compared with the manifest next to them. So other users must not have write access.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def bundle(self, source: ModelSource, version: str) -> Bundle:
        """A version from the cache if it is intact there, else downloaded; files are always checked against their sha256.

        Raises as `ModelSource.fetch`, `StorageError` if the folder cannot be written, and `Forbidden` if another user can write to it.
        """
        # by source too: two models may have a version of the same name
        _make_private(self._folder)
        source_folder = self._folder / hashlib.sha256(source.uri.encode()).hexdigest()[:16]
        folder = source_folder / checked_version(version)
        try:
            source_folder.mkdir(parents=True, exist_ok=True)
            with folder_lock(source_folder):
                bundle = _intact(folder) or _download(source, version, folder)
                os.utime(folder)
                _remove_old(source_folder)
        except OSError as error:
            raise _unusable(source_folder, error) from error
        return bundle


def _is_writable(folder: Path) -> bool:
    """Whether the folder can be written, or created."""
    nearest = nearest_existing(folder)
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


def _make_private(folder: Path) -> None:
    """Create the folder for this user alone. Raises `StorageError`, and `Forbidden` if others own it or can write to it."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        # The folder may be a symbolic link: check its owner too.
        owners, mode = {folder.lstat().st_uid, folder.stat().st_uid}, folder.stat().st_mode
    except OSError as error:
        raise _unusable(folder, error) from error
    if owners != {os.geteuid()}:
        raise Forbidden(f"the model cache {folder} belongs to another user: set MODEL_CACHE_DIR to a folder of your own")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Forbidden(f"other users can write to the model cache {folder}: chmod go-w {folder}, or set MODEL_CACHE_DIR to another folder")


def _unusable(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"a model cannot be written to {folder} ({error.strerror}): set MODEL_CACHE_DIR to a writable folder with free space"
    )


def _intact(folder: Path) -> Bundle | None:
    if not folder.exists():
        return None
    try:
        return Bundle.open(folder)
    except ModelError as error:
        logger.warning("The cached model is damaged and is downloaded again: %s", error)
        return None


def _download(source: ModelSource, version: str, folder: Path) -> Bundle:
    """Download into a temporary folder first, so that a crash leaves nothing that looks like a bundle."""
    temporary = folder.with_name(f".{uuid4().hex}")
    temporary.mkdir()
    try:
        bundle = source.fetch(version, temporary)
        if folder.exists():
            shutil.rmtree(folder)
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return replace(bundle, folder=folder)


def _remove_old(source_folder: Path) -> None:
    """Remove all but the versions used last, and the temporary folders of processes that crashed during a download."""
    versions = [entry for entry in source_folder.iterdir() if not entry.name.startswith(".")]
    versions.sort(key=lambda entry: entry.stat().st_mtime_ns, reverse=True)
    for entry in source_folder.iterdir():
        if entry not in versions[:_MAX_VERSIONS]:
            shutil.rmtree(entry)
