"""The files of the repository: in a checkout, tracked and new files that git does not ignore; in a downloaded archive, all files."""

import os
import subprocess
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[2]


def repository_files(root: Path = ROOT) -> list[str]:
    """Paths relative to `root`, without those that .gitignore matches."""
    files = _files_of_git(root)
    return _files_of_archive(root) if files is None else files


def _files_of_git(root: Path) -> list[str] | None:
    git = ["git", "-c", f"safe.directory={root}"]
    try:
        top = subprocess.run([*git, "rev-parse", "--show-toplevel"], cwd=root, capture_output=True, text=True, check=True).stdout
        if Path(top.strip()) != root.resolve():  # the checkout of a parent folder
            return None
        command = [*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    return [name for name in listed.split("\0") if name and (root / name).is_file()]


def _files_of_archive(root: Path) -> list[str]:
    ignored = [".git", *(line.rstrip("/") for line in (root / ".gitignore").read_text().split())]

    def is_ignored(name: str) -> bool:
        return any(fnmatch(name, pattern) for pattern in ignored)

    found: list[str] = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not is_ignored(name)]
        found += [(Path(folder) / name).relative_to(root).as_posix() for name in files if not is_ignored(name)]
    return sorted(found)
