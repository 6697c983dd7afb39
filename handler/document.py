"""The committed OpenAPI document, as it is served."""

import json
from importlib.resources import files
from pathlib import Path

FILE = Path(str(files("handler") / "openapi.json"))
INTEGRATION = "x-amazon-apigateway-integration"


def committed() -> str:
    """The document for people and clients: without what only API Gateway needs."""
    document = json.loads(FILE.read_text())
    for path in document["paths"].values():
        for operation in path.values():
            del operation[INTEGRATION]
    return json.dumps(document)
