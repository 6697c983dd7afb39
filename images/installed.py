"""The Python packages that an image holds, as their own metadata tell: copied out, for tools that know environments and no images."""

import io
import tarfile
import venv
from pathlib import Path

from images.docker import Docker

_TELL = """
import importlib.metadata, io, sys, tarfile
with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as archive:
    for each in importlib.metadata.distributions():
        content = each.read_text("METADATA").encode()
        entry = tarfile.TarInfo(f"{each.metadata['Name']}-{each.version}.dist-info/METADATA")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
"""


def copy_out(docker: Docker, image: str, environment: Path) -> Path:
    """Make `environment` a virtual environment that has the image's packages, though nothing of them but names, versions, licences and
    dependencies; returns the folder in which they are.
    """
    venv.create(environment, clear=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    with tarfile.open(fileobj=io.BytesIO(docker.run_python(image, _TELL))) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11 has it from 3.11.4 on
        archive.extractall(packages)  # noqa: S202 - what _TELL wrote
    return packages
