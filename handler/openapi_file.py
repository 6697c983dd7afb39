"""The openapi_json OpenAPI document, as it is served."""

from importlib.resources import files
from pathlib import Path

FILE = Path(str(files("handler") / "openapi.json"))


def openapi_json() -> str:
    """The OpenAPI document as JSON text."""
    return FILE.read_text()
