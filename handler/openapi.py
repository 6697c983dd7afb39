"""The OpenAPI document: what Powertools knows of the routes, completed, and brought down to 3.0 for API Gateway.

`python -m handler.openapi --write` renews `handler/openapi.json` and the `handler/api_gateway.json` made from it; with `--check` it fails
where one is stale.
"""

import json
import sys
import warnings
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from pydantic.json_schema import models_json_schema

from coinfarm.serving.request import PredictionRequest
from handler import api, api_gateway, openapi_file, schemas
from handler.problems import CONTENT_TYPE, statuses

_COMPONENTS = "#/components/schemas/"

Json = dict[str, Any]


def described() -> Json:
    """The document for people and clients, made anew from the code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Powertools speaks 3.1 with Pydantic 2, and says so whatever one asks for
        told: Json = json.loads(
            api.resolvers[0].get_openapi_json_schema(
                title="Coinfarm",
                version=version("coinfarm"),
                description="Candlestick charts in, predictions of the next 30 candles out.",
            )
        )
    _, extra = models_json_schema(
        [(PredictionRequest, "validation"), (schemas.PredictionResponse, "serialization"), (schemas.Problem, "serialization")],
        ref_template=_COMPONENTS + "{model}",
    )
    components = told["components"]["schemas"] | extra["$defs"]
    for unused in ("HTTPValidationError", "ValidationError", "ResponseValidationError"):
        components.pop(unused, None)
    schemes = {"schemas": dict(sorted(components.items())), "securitySchemes": api_gateway.SECURITY_SCHEMES}
    told |= {"openapi": "3.0.3", "components": schemes}
    told.pop("servers", None)
    for path, operations in told["paths"].items():
        for method, operation in operations.items():
            _complete(operation, path, method)
    brought_down: Json = _as_3_0(told)
    return brought_down


def _complete(operation: Json, path: str, method: str) -> None:
    beyond = _BEYOND_SIGNATURES.get(path, _Beyond())
    operation["operationId"] = "".join(part.capitalize() for part in (method, *path.replace(".", "/").split("/")))
    operation["responses"] = {"200": operation["responses"]["200"]}
    if beyond.takes:
        operation["requestBody"] = {"required": True, "content": beyond.takes}
    if beyond.gives:
        operation["responses"]["200"]["content"] = beyond.gives
    titles = statuses()
    refuses = {status: titles[status] for status in beyond.refuses} | api_gateway.refusals(path)
    for status, title in sorted(refuses.items()):
        operation["responses"][str(status)] = {"description": title, "content": {CONTENT_TYPE: _schema("Problem")}}
    if path != api_gateway.OPEN_PATH:
        operation["security"] = [{scheme: []} for scheme in api_gateway.SECURITY_SCHEMES] + [{}]  # one of them, or, served here, none


def _schema(name: str) -> Json:
    return {"schema": {"$ref": _COMPONENTS + name}}


_BINARY = {"schema": {"type": "string", "format": "binary"}}
_NPZ = {
    "schema": {
        "type": "string",
        "format": "binary",
        "description": "A NumPy archive of `frames`, uint8 of shape (N, 200, 150, 3), 0 or 1, and (where the model's outputs are in "
        "window_range units) `windowRangePct`, float of shape (N,).",
    }
}
_CANDLES = {"application/json": _schema("PredictionRequest")}


@dataclass(frozen=True)
class _Beyond:
    """What a route takes, gives and refuses beyond what its signature tells; every route may fail (500)."""

    takes: Json = field(default_factory=dict)
    gives: Json = field(default_factory=dict)
    refuses: tuple[int, ...] = (500,)


_BEYOND_SIGNATURES = {
    "/predictions": _Beyond(
        takes={**_CANDLES, "application/x-npz": _NPZ},
        gives={"application/json": _schema("PredictionResponse")},
        refuses=(400, 404, 413, 415, 422, 500, 503),
    ),
    "/frames": _Beyond(takes=_CANDLES, gives={"image/png": _BINARY}, refuses=(400, 413, 415, 422, 500)),
    "/model": _Beyond(refuses=(404, 422, 500, 503)),
    "/ready": _Beyond(refuses=(500, 503)),
    "/openapi.json": _Beyond(gives={"application/json": {"schema": {"type": "object"}}}),
    "/docs": _Beyond(gives={"text/html": {"schema": {"type": "string"}}}),
}


def _as_3_0(node: Any) -> Any:
    """JSON Schema 2020 as OpenAPI 3.0 spells it: `nullable`, one `example`, an `enum` for a constant; no made-up titles."""
    if isinstance(node, list):
        return [_as_3_0(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _as_3_0(value) for key, value in node.items()}
    if isinstance(node.get("title"), str) and "properties" not in node and "version" not in node:
        del node["title"]
    if "const" in node:
        node["enum"] = [node.pop("const")]
    if "examples" in node and isinstance(node["examples"], list):
        node["example"] = node.pop("examples")[0]
    variants = node.get("anyOf")
    if isinstance(variants, list) and {"type": "null"} in variants:
        rest = [variant for variant in variants if variant != {"type": "null"}]
        if len(rest) == 1 and "type" in rest[0]:
            del node["anyOf"]
            node |= {**rest[0], "nullable": True}
        else:  # `nullable` widens only the `type` beside it, not a reference; and CloudFormation takes no `enum` with null in it
            node["anyOf"] = [*rest, {"type": "object", "nullable": True, "maxProperties": 0}]
        if node.get("default", ...) is None:
            del node["default"]
    return node


def main(arguments: list[str]) -> int:
    """Write the documents, or check that the committed ones are the code's."""
    for_people = described()
    documents = {openapi_file.FILE: for_people, api_gateway.FILE: api_gateway.gateway_document(for_people)}
    texts = {file: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for file, content in documents.items()}
    if arguments == ["--write"]:
        for file, text in texts.items():
            file.write_text(text)
        return 0
    if arguments == ["--check"]:
        stale = [file for file, text in texts.items() if not file.exists() or file.read_text() != text]
        for file in stale:
            print(f"{file} is stale: renew it with `make openapi`", file=sys.stderr)
        return int(bool(stale))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
