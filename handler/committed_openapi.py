"""Reads the committed OpenAPI document, `handler/openapi.json`, which `GET /openapi.json` returns."""

from importlib.resources import files
from pathlib import Path

FILE = Path(str(files("handler") / "openapi.json"))


def openapi_json() -> str:
    """The OpenAPI document as JSON text."""
    return FILE.read_text()
