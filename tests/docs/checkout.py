"""A fresh copy of the repository, with an environment in which nothing needs to be installed."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT


def fresh_copy(folder: Path, root: Path = ROOT) -> Path:
    """Copy into `folder` what a clone has, and what is about to be committed; then give it environments, as after `make environments`."""
    files = _files_of_git(root)
    if files is None:  # a downloaded archive
        ignored = [line.rstrip("/") for line in (root / ".gitignore").read_text().split()]
        shutil.copytree(root, folder, ignore=shutil.ignore_patterns(".git", *ignored), symlinks=True)
    else:
        for name in files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name, follow_symlinks=False)
    _make_environments(folder, root)
    return folder


def _files_of_git(root: Path) -> list[str] | None:
    command = ["git", "-c", f"safe.directory={root}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        top = subprocess.run([*command[:3], "rev-parse", "--show-toplevel"], cwd=root, capture_output=True, text=True, check=True).stdout
        if Path(top.strip()) != root.resolve():  # the checkout of something that this folder lies in
            return None
        listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    return [name for name in listed.split("\0") if name and (root / name).is_file()]


def _make_environments(copy: Path, root: Path) -> None:
    """By links, in folders of their own: what `make` writes there stays in the copy."""
    stamps = re.findall(r"\$\(VENV\)/(\.[\w-]+)", (copy / "Makefile").read_text())
    _link(copy / ".venv", Path(sys.prefix), *stamps)
    for pinned in (copy / ".ci/tools").glob("*.txt"):
        _link(copy / "build" / pinned.stem, root / "build" / pinned.stem, ".ready")


def _link(folder: Path, target: Path, *stamps: str) -> None:
    folder.mkdir(parents=True)
    for path in target.iterdir() if target.is_dir() else ():
        if path.name.startswith("."):
            (folder / path.name).touch()  # newer than what it depends on
        else:
            (folder / path.name).symlink_to(path)
    for stamp in stamps:
        (folder / stamp).touch()
