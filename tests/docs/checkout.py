"""A fresh copy of the repository, with links to the installed environments."""

import shutil
import sys
from pathlib import Path

from tests.docs.pages import ROOT
from tests.support.repository import repository_files


def fresh_copy(folder: Path, root: Path = ROOT) -> Path:
    """Copy the files of a clone and new files into `folder`, and link its environments, as after `make environments`."""
    for name in repository_files(root):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, folder / name, follow_symlinks=False)
    (folder / ".venv").symlink_to(sys.prefix)
    for pinned in (folder / ".ci/tools").glob("*.txt"):
        _link(folder / "build" / pinned.stem, root / "build" / pinned.stem)
    return folder


def _link(folder: Path, target: Path) -> None:
    """Create a folder of links to the files in `target`, so that what `make` writes stays in the copy."""
    folder.mkdir(parents=True)
    for path in target.iterdir() if target.is_dir() else ():
        if path.name.startswith("."):
            (folder / path.name).touch()  # newer than its dependencies
        else:
            (folder / path.name).symlink_to(path)
    (folder / ".ready").touch()
