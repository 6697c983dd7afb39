"""The metadata of an image's Python packages, for tools that scan environments but not images."""

import io
import tarfile
import venv
from pathlib import Path

from images.docker import Docker

_METADATA_SCRIPT = """
import importlib.metadata, io, sys, tarfile
with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as archive:
    for each in importlib.metadata.distributions():
        content = each.read_text("METADATA").encode()
        entry = tarfile.TarInfo(f"{each.metadata['Name']}-{each.version}.dist-info/METADATA")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
"""


def copy_package_metadata(docker: Docker, image: str, environment: Path) -> Path:
    """Create a virtual environment with the metadata of the image's packages (names, versions, licences, dependencies) but not their code.

    Returns the folder of the packages.
    """
    venv.create(environment, clear=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    with tarfile.open(fileobj=io.BytesIO(docker.run_python(image, _METADATA_SCRIPT))) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11 has it from 3.11.4 on
        archive.extractall(packages)  # noqa: S202 - written by _METADATA_SCRIPT
    return packages
