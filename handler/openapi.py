"""Builds the OpenAPI document: Powertools' description of the routes, completed and converted to OpenAPI 3.0 for API Gateway.

`python -m handler.openapi --write` updates `handler/openapi.json` and `handler/api_gateway.json`; `--check` fails if one of them is out of
date.
"""

import json
import re
import sys
import warnings
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from pydantic.json_schema import models_json_schema

from coinfarm.serving.candle_upload import FILE_TYPES, ListingOptions, PredictionOptions
from coinfarm.serving.request import ApiRequest, ExplanationRequest, PredictionRequest
from handler import api, api_gateway_document, committed_openapi, schemas
from handler.api_event import Gateway
from handler.openapi_examples import example, example_components
from handler.problems import CONTENT_TYPE, statuses

_COMPONENTS = "#/components/schemas/"

Json = dict[str, Any]


def build_document() -> Json:
    """The OpenAPI 3.0 document, generated from the code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Powertools warns that it always writes 3.1 with Pydantic 2
        document: Json = json.loads(
            api.resolvers()[Gateway.REST_API].get_openapi_json_schema(
                title="Coinfarm",
                version=version("coinfarm"),
                description="Candlestick charts in, predictions of the next candles out.",
            )
        )
    requests = (PredictionRequest, ExplanationRequest)
    responses = (schemas.PredictionResponse, schemas.Explanation, schemas.CandleList, schemas.Problem)
    _, extra = models_json_schema(
        [(each, "validation") for each in requests] + [(each, "serialization") for each in responses], ref_template=_COMPONENTS + "{model}"
    )
    components = document["components"]["schemas"] | extra["$defs"]
    for unused in ("HTTPValidationError", "ValidationError", "ResponseValidationError"):
        components.pop(unused, None)
    document |= {
        "openapi": "3.0.3",
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": api_gateway_document.SECURITY_SCHEMES,
            "examples": example_components(),
        },
    }
    document.pop("servers", None)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(operation, path, method)
    converted: Json = _as_3_0(document)
    return converted


def _complete(operation: Json, path: str, method: str) -> None:
    extra = _ROUTE_DETAILS.get(path, _RouteDetails())
    operation["operationId"] = "".join(part.capitalize() for part in (method, *path.replace(".", "/").split("/")))
    operation["responses"] = {"200": operation["responses"]["200"]}
    if extra.query:
        operation["parameters"] = _query_parameters(extra.query)
    if extra.request:
        operation["requestBody"] = {"required": True, "content": extra.request}
    if extra.response:
        operation["responses"]["200"]["content"] = extra.response
    titles = statuses()
    errors = {status: titles[status] for status in extra.errors} | api_gateway_document.error_titles(path)
    for status, title in sorted(errors.items()):
        operation["responses"][str(status)] = {"description": title, "content": {CONTENT_TYPE: _schema("Problem")}}
    if path != api_gateway_document.PUBLIC_PATH:
        operation["security"] = [{scheme: []} for scheme in api_gateway_document.SECURITY_SCHEMES] + [
            {}
        ]  # one of them, or none in `coinfarm serve`


def _schema(name: str) -> Json:
    return {"schema": {"$ref": _COMPONENTS + name}}


_BINARY = {"schema": {"type": "string", "format": "binary"}}
_NPZ = {
    "schema": {
        "type": "string",
        "format": "binary",
        "description": "A NumPy archive of `frames`, uint8 of shape (N, 200, 150, 3), 0 or 1, and (if the model has outputs in "
        "window_range units) `windowRangePct`, float of shape (N,).",
    }
}
_CANDLES = {"application/json": _schema("PredictionRequest") | example("window")}
_FILES = dict.fromkeys(FILE_TYPES, _BINARY)  # Swagger UI asks for a file
_CSV = {"text/csv": {"schema": {"type": "string"}} | example("csv")}


def _query_parameters(options: type[ApiRequest]) -> list[Json]:
    """The fields of the options as query parameters. Defaults are text, because Swagger UI would send them with any body."""
    parameters = []
    for name, described in options.model_json_schema()["properties"].items():
        (variant,) = [each for each in described.pop("anyOf", [{}]) if each.get("type") != "null"]
        schema = described | variant
        default, description = schema.pop("default"), schema.pop("description")
        schema.pop("examples", None)
        description = description if default is None else f"{description} Default: {default}."
        parameters.append({"name": name, "in": "query", "required": False, "description": description, "schema": schema})
    return parameters


@dataclass(frozen=True)
class _RouteDetails:
    """Request and response content, and error statuses, that the signature of a route does not show; every route may fail (500)."""

    query: type[ApiRequest] | None = None
    request: Json = field(default_factory=dict)
    response: Json = field(default_factory=dict)
    errors: tuple[int, ...] = (500,)


_ROUTE_DETAILS = {
    "/predictions": _RouteDetails(
        query=PredictionOptions,
        request={**_CANDLES, **_FILES, "application/x-npz": _NPZ},
        response={"application/json": _schema("PredictionResponse")},
        errors=(400, 404, 413, 415, 422, 500, 503),
    ),
    "/explanation": _RouteDetails(
        request={"application/json": _schema("ExplanationRequest") | example("window")},
        response={"application/json": _schema("Explanation")},
        errors=(400, 404, 413, 415, 422, 500, 503),
    ),
    "/candles": _RouteDetails(
        query=ListingOptions,
        request=_CSV | {"application/json": {"schema": {}} | example("klines")} | _FILES | _CSV,
        response={"application/json": _schema("CandleList")},
        errors=(400, 413, 415, 422, 500, 503),
    ),
    "/frames": _RouteDetails(request=_CANDLES, response={"image/png": _BINARY}, errors=(400, 413, 415, 422, 500)),
    "/model": _RouteDetails(errors=(404, 422, 500, 503)),
    "/ready": _RouteDetails(errors=(500, 503)),
    "/openapi.json": _RouteDetails(response={"application/json": {"schema": {"type": "object"}}}),
    "/docs": _RouteDetails(response={"text/html": {"schema": {"type": "string"}}}),
}


def _as_3_0(node: Any) -> Any:
    """JSON Schema 2020-12 converted to OpenAPI 3.0: `nullable`, one `example`, an `enum` for a constant; no generated titles."""
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
        else:  # `nullable` applies only to a `type` in the same schema, not to a reference; CloudFormation rejects an `enum` with null
            node["anyOf"] = [*rest, {"type": "object", "nullable": True, "maxProperties": 0}]
        if node.get("default", ...) is None:
            del node["default"]
    return node


def _text(document: Json) -> str:
    """Indented JSON, with each list of numbers and texts, such as a candle, in one line."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return re.sub(r"\[\s+([^][{}]*?)\s+\]", lambda found: "[" + re.sub(r",\n\s+", ", ", found[1]) + "]", text) + "\n"


def main(arguments: list[str]) -> int:
    """Write the documents, or check that the committed ones are up to date."""
    document = build_document()
    documents = {committed_openapi.FILE: document, api_gateway_document.FILE: api_gateway_document.gateway_document(document)}
    texts = {file: _text(content) for file, content in documents.items()}
    if arguments == ["--write"]:
        for file, text in texts.items():
            file.write_text(text)
        return 0
    if arguments == ["--check"]:
        stale = [file for file, text in texts.items() if not file.exists() or file.read_text() != text]
        for file in stale:
            print(f"{file} is out of date: run `make openapi`", file=sys.stderr)
        return int(bool(stale))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
