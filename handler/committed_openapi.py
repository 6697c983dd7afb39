"""Reads the committed OpenAPI document, `handler/openapi.json`, of which `GET /openapi.json` returns what applies to its caller."""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

FILE = Path(str(files("handler") / "openapi.json"))


def openapi_json() -> str:
    """The OpenAPI document as JSON text, with all ways of authentication."""
    return FILE.read_text()


def documented_paths() -> set[str]:
    """The paths of the document."""
    return {*json.loads(openapi_json())["paths"]}


@cache
def openapi_for(scheme: str | None) -> str:
    """The document for a caller who was authenticated by one of its security schemes, or who needed none."""
    document: dict[str, Any] = json.loads(openapi_json())
    schemes = document["components"].pop("securitySchemes")
    for operations in document["paths"].values():
        for operation in operations.values():
            if operation.pop("security", None) and scheme is not None:
                operation["security"] = [{scheme: []}]
    if scheme is not None:
        document["components"]["securitySchemes"] = {scheme: schemes[scheme]}
    return json.dumps(document)
