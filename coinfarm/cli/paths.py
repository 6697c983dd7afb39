"""Parameter types for paths and roots. Those to be written are checked before any work is done."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coinfarm.errors import StorageError, system_error_text
from coinfarm.storage import local_folder
from coinfarm.storage.local_file import check_writable

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def absolute_uri(uri: str | None) -> str | None:
    """`uri` with a relative folder made absolute, for processes with another working directory."""
    return uri if uri is None or "://" in uri else str(Path(uri).absolute())


class _Root(click.types.StringParamType):
    """A folder, a file or an `s3://` URI. Shells complete files and folders."""

    name = "root"

    def shell_complete(self, context: click.Context, parameter: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
        from click.shell_completion import CompletionItem

        del context, parameter
        return [CompletionItem(incomplete, type="file")]


class _RootToWrite(_Root):
    """A root to be written: a folder that exists or can be created, or an `s3://` URI."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> str:
        root: str = super().convert(value, parameter, context)
        try:
            folder = local_folder(root)
        except StorageError as error:
            self.fail(str(error), parameter, context)
        if folder is not None:
            if folder.exists() and not folder.is_dir():
                self.fail(f"{folder} is a file, not a folder", parameter, context)
            _check(self, folder, parameter, context)
        return root


class _PathToWrite(click.Path):
    """A file or folder to be written. Missing folders are created later, but errors are reported at once."""

    def __init__(self, *, file: bool, folder: bool) -> None:
        super().__init__(file_okay=file, dir_okay=folder, path_type=Path)

    def convert(
        self, value: str | os.PathLike[str], parameter: click.Parameter | None, context: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        path = super().convert(value, parameter, context)
        assert isinstance(path, Path)
        _check(self, path, parameter, context)
        return path


def _check(
    kind: click.types.StringParamType | click.Path, path: Path, parameter: click.Parameter | None, context: click.Context | None
) -> None:
    try:
        check_writable(path)
    except OSError as error:
        kind.fail(system_error_text(error), parameter, context)


ROOT = _Root()
ROOT_TO_WRITE = _RootToWrite()
EXISTING_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
CANDLE_FILE = click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True, path_type=Path)
FILE_TO_WRITE = _PathToWrite(file=True, folder=False)
FOLDER_TO_WRITE = _PathToWrite(file=False, folder=True)
FILE_OR_FOLDER_TO_WRITE = _PathToWrite(file=True, folder=True)
