"""The openapi_json OpenAPI document, as it is served."""

from importlib.resources import files
from pathlib import Path

FILE = Path(str(files("handler") / "openapi.json"))


def openapi_json() -> str:
    """The document for people and clients."""
    return FILE.read_text()
