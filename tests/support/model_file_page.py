"""Writes the tables of files in docs/models.md: what each is recognised as, and which are converted.

`python -m tests.support.model_file_page` after a change.
"""

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from coinfarm.errors import ModelError
from coinfarm.models.candidate import bundle_to_publish
from tests.support.model_files import MODEL_FILES, ModelFile
from tests.support.model_page import PAGE, cell
from tests.support.old_model_files import OLD_MODEL_FILES, OldModelFile, conversion_outcome


def file_outcome(entry: ModelFile) -> str:
    """What `model publish` says of it."""
    with _folders() as (folder, created):
        path = entry.build(folder)
        try:
            bundle_to_publish(path, created)
        except ModelError as error:
            message = str(error).replace(f"{folder}/", "").replace(str(folder), "FOLDER")
            return f"rejected: {cell(message)}"
    return "a Keras archive"


def old_file_outcome(entry: OldModelFile) -> str:
    """What `model import` does with it; the process of its own is left out."""
    import keras

    with _folders() as (folder, _):
        reason = conversion_outcome(keras, entry, folder)
    return "converted, with the same predictions" if reason is None else f"rejected: {cell(reason)}"


def page_with_files(page: str) -> str:
    rows = "\n".join(f"| {entry.name} | {file_outcome(entry)} |" for entry in MODEL_FILES)
    return _table("files").sub(lambda _: f"| file | outcome |\n| --- | --- |\n{rows}", page)


def page_with_old_files(page: str) -> str:
    rows = "\n".join(f"| {entry.name} | {old_file_outcome(entry)} |" for entry in OLD_MODEL_FILES)
    return _table("conversions").sub(lambda _: f"| file | `coinfarm model import` |\n| --- | --- |\n{rows}", page)


def _table(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- table of {name} -->\n\n).*?(?=\n\n<!-- end -->)", re.DOTALL)


@contextmanager
def _folders() -> Iterator[tuple[Path, Path]]:
    """Two empty folders."""
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        yield Path(first), Path(second)


if __name__ == "__main__":
    tables: tuple[Callable[[str], str], ...] = (page_with_files, page_with_old_files)
    for with_table in tables:
        PAGE.write_text(with_table(PAGE.read_text()))
