"""What every benchmark has in common: the reference model and the machine."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from coinfarm.engines.processor import processor_name
from coinfarm.models.bundle import Bundle
from coinfarm.models.model_source import current_version
from coinfarm.models.store import open_model_source
from coinfarm.serving.settings import reference_model_uri

FIRST_RELEASE_URI = str(Path(__file__).with_name("bundle_0_1_0"))
"""The reference model of version 0.1.0, which the distributions do not contain."""


def reference_bundle() -> Bundle:
    """The reference model's current version."""
    root = reference_model_uri()
    return Bundle.open(Path(root, "versions", current_version(open_model_source(root))))


def require_first_release() -> None:
    """Exit with a message if the reference model of 0.1.0 is missing."""
    if not Path(FIRST_RELEASE_URI).exists():
        raise SystemExit(f"{FIRST_RELEASE_URI} is missing: source distributions do not contain it. Run this in a clone of the repository.")


def machine(*packages: str) -> dict[str, str | int]:
    """Today's date, the CPU, and the versions of Python and `packages`."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": processor_name(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }
