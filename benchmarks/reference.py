"""What every benchmark has in common: the reference model, the machine, and tables."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.table import Table

from coinfarm.engines.processor import processor_name
from coinfarm.models.bundle import Bundle
from coinfarm.models.store import ModelStore
from coinfarm.serving.settings import reference_model_uri
from coinfarm.storage import open_storage


def reference_bundle() -> Bundle:
    """The reference model's current version."""
    root = reference_model_uri()
    current = ModelStore(open_storage(root)).current_if_changed(None)
    assert current is not None  # None means unchanged, and no earlier version was given
    return Bundle.open(Path(root, "versions", current.version))


def machine(*packages: str) -> dict[str, str | int]:
    """Today's date, the processor, and the versions of Python and `packages`."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": processor_name(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def results_table(title: str, first: str, *columns: str) -> Table:
    """A table whose columns after the first are aligned to the right; without a header if all names are empty."""
    table = Table(title=title, title_justify="left", show_header=any((first, *columns)))
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table
