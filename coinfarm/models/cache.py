"""Bundles kept on disk, so that neither this process nor its neighbour downloads a version twice."""

import hashlib
import logging
import os
import shutil
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from coinfarm.errors import ModelError, StorageError
from coinfarm.models.bundle import Bundle
from coinfarm.models.manifest import checked_version
from coinfarm.models.store import ModelSource
from coinfarm.storage.folder import exclusive

logger = logging.getLogger(__name__)

_KEPT_VERSIONS = 3


class BundleCache:
    """A folder that threads and processes may share: one of them downloads, the others wait for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def bundle(self, source: ModelSource, version: str) -> Bundle:
        """A version, from disk if it lies there unharmed, else fetched; checked against its sha256 either way.

        Raises as `ModelSource.fetch`, and `StorageError` if the folder cannot be written.
        """
        # two models may well have a version of the same name
        home = self._folder / hashlib.sha256(source.uri.encode()).hexdigest()[:16]
        folder = home / checked_version(version)
        try:
            home.mkdir(parents=True, exist_ok=True)
            with exclusive(home):
                bundle = _unharmed(folder) or _fetched(source, version, folder)
                os.utime(folder)
                _remove_old(home)
        except OSError as error:
            raise StorageError(f"{home} cannot hold a model ({error.strerror}): let MODEL_CACHE_DIR be a folder with room") from error
        return bundle


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
