"""Builds the OpenAPI document for API Gateway: `handler/api_gateway.json`, which template.yaml includes.

It is derived from the public OpenAPI document and holds only what API Gateway uses. API Gateway reads JSON Schema draft 4 without
`nullable`, `anyOf` and `discriminator`.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from handler.problems import CONTENT_TYPE

FILE = Path(__file__).with_name("api_gateway.json")
PUBLIC_PATH = "/health"
"""The only path that requires no key, for load balancers and monitors."""

Json = dict[str, Any]

# The alias lets a deployment shift requests gradually to a new version. Not ${ApiFunction.Alias}: only sam resolves it.
_INVOKE = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${ApiFunction.Arn}:live/invocations"

_INTEGRATION: Json = {"type": "aws_proxy", "httpMethod": "POST", "uri": {"Fn::Sub": _INVOKE}}

_REQUEST: Json = {
    "type": "object",
    "required": ["symbol", "interval", "candles"],
    "properties": {"symbol": {"type": "string"}, "interval": {"type": "string"}, "candles": {"type": "array"}},
}
"""Only the basic shape of a request: API Gateway must not reject what the handler accepts (such as "3" for a stride), and its errors do not
point at the invalid candle, as the handler's do."""

_SHAPED_PATHS = ("/explanation", "/frames")
"""The paths whose JSON always has this shape: the others take candle files, whose JSON may have any, and bodies that are not JSON."""


@dataclass(frozen=True)
class _GatewayError:
    """An error response of API Gateway itself, before or instead of the handler's response."""

    problem_type: str
    status: HTTPStatus
    title: str
    detail: str


def _forbidden(detail: str) -> _GatewayError:
    return _GatewayError("Forbidden", HTTPStatus.FORBIDDEN, "Forbidden", detail)


_SIGNATURE = "The signature (SigV4) is not valid: check the credentials, the region and the clock."

# Every response type that can occur has its own entry: a template cannot read the status, and a default entry has one status for all.
_GATEWAY_ERRORS = {
    "BAD_REQUEST_BODY": _GatewayError(
        "MalformedRequest",
        HTTPStatus.BAD_REQUEST,
        "Malformed request",
        "The body must be a JSON object that has at least a symbol and an interval, both strings, and candles, an array.",
    ),
    "BAD_REQUEST_PARAMETERS": _GatewayError(
        "MalformedRequest",
        HTTPStatus.BAD_REQUEST,
        "Malformed request",
        "A parameter of the path, the query or the headers is missing.",
    ),
    "DEFAULT_4XX": _GatewayError("MalformedRequest", HTTPStatus.BAD_REQUEST, "Malformed request", "API Gateway rejected the request."),
    "UNAUTHORIZED": _GatewayError("Unauthorized", HTTPStatus.UNAUTHORIZED, "Unauthorized", "The request has no valid credentials."),
    "ACCESS_DENIED": _forbidden("The caller has no permission for execute-api:Invoke on this API."),
    "INVALID_API_KEY": _forbidden("The header x-api-key must hold a valid API key."),
    "INVALID_SIGNATURE": _forbidden(_SIGNATURE),
    "EXPIRED_TOKEN": _forbidden("The credentials of the signature have expired."),
    "MISSING_AUTHENTICATION_TOKEN": _forbidden("The route does not exist, or it requires a signature (SigV4) that is missing."),
    "WAF_FILTERED": _forbidden("A firewall (AWS WAF) blocked the request."),
    "RESOURCE_NOT_FOUND": _GatewayError("RouteNotFound", HTTPStatus.NOT_FOUND, "Not found", "The route does not exist."),
    "REQUEST_TOO_LARGE": _GatewayError(
        "TooLarge",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "Request too large",
        "API Gateway accepts at most 10 MB: send fewer candles at a time, or put them into a file and send its URI to the queue.",
    ),
    "UNSUPPORTED_MEDIA_TYPE": _GatewayError(
        "UnsupportedMediaType",
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "Unsupported media type",
        "Send JSON, or the candle file itself; see GET /docs.",
    ),
    "THROTTLED": _GatewayError(
        "TooManyRequests",
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many requests",
        "The rate limit of requests per second is exceeded; try again.",
    ),
    "QUOTA_EXCEEDED": _GatewayError(
        "QuotaExceeded", HTTPStatus.TOO_MANY_REQUESTS, "Too many requests", "The monthly quota of the key is used up."
    ),
    "INTEGRATION_TIMEOUT": _GatewayError(
        "GatewayTimeout",
        HTTPStatus.GATEWAY_TIMEOUT,
        "Gateway timeout",
        "The request took over 29 seconds: send fewer candles at a time, or try again.",
    ),
    "INTEGRATION_FAILURE": _GatewayError(
        "GatewayTimeout", HTTPStatus.GATEWAY_TIMEOUT, "Gateway timeout", "The function could not be reached: try again."
    ),
    "DEFAULT_5XX": _GatewayError("InternalError", HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error", "Try again."),
}

SECURITY_SCHEMES: Json = {
    "apiKey": {
        "type": "apiKey",
        "name": "x-api-key",
        "in": "header",
        "description": "A key, where the API is deployed with ApiAuth=ApiKey.",
    },
    "sigv4": {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "description": "A signature of AWS (SigV4, for execute-api), where the API is deployed with ApiAuth=Iam.",
    },
}
"""`coinfarm serve` requires neither."""


def error_titles(path: str) -> dict[int, str]:
    """Status and title of the errors that API Gateway may return for any request to a path."""
    types = ["THROTTLED", "INTEGRATION_TIMEOUT"]
    if path != PUBLIC_PATH:
        types += ["UNAUTHORIZED", "INVALID_API_KEY"]
    return {int(_GATEWAY_ERRORS[name].status): _GATEWAY_ERRORS[name].title for name in types}


def gateway_document(document: Json) -> Json:
    """The document for API Gateway, derived from the public document."""
    return {
        "openapi": document["openapi"],
        # The title becomes the API's name, a dimension of its metrics.
        "info": {"title": {"Ref": "AWS::StackName"}, "version": document["info"]["version"]},
        "x-amazon-apigateway-api-key-source": "HEADER",
        "x-amazon-apigateway-request-validators": {"shape": {"validateRequestBody": True, "validateRequestParameters": True}},
        "x-amazon-apigateway-request-validator": "shape",
        "x-amazon-apigateway-gateway-responses": {name: _response(error) for name, error in sorted(_GATEWAY_ERRORS.items())},
        "paths": {
            path: {method: _operation(path, operation) for method, operation in operations.items()} | _preflight(path)
            for path, operations in document["paths"].items()
        },
        "components": {
            "schemas": {"PredictionRequest": _REQUEST},
            "securitySchemes": SECURITY_SCHEMES | {"sigv4": SECURITY_SCHEMES["sigv4"] | {"x-amazon-apigateway-authtype": "awsSigv4"}},
        },
    }


def _operation(path: str, described: Json) -> Json:
    operation: Json = {"operationId": described["operationId"], "responses": {"200": {"description": "The response of the handler."}}}
    if "parameters" in described:
        operation["parameters"] = [
            {"name": each["name"], "in": each["in"], "required": each["required"], "schema": {"type": each["schema"]["type"]}}
            for each in described["parameters"]
        ]
    if path in _SHAPED_PATHS:
        schema = {"$ref": "#/components/schemas/PredictionRequest"}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if path != PUBLIC_PATH:
        # The condition is inside the list, because `sam local` does not resolve conditions here and requires a list.
        operation["security"] = [{"Fn::If": ["UseApiKeys", {"apiKey": []}, {"sigv4": []}]}]
    operation["x-amazon-apigateway-integration"] = _INTEGRATION
    return operation


def _preflight(path: str) -> Json:
    """What browsers ask before a request from another origin, without a key: the handler answers it."""
    name = "Options" + "".join(part.capitalize() for part in path.replace(".", "/").split("/"))
    operation = {
        "operationId": name,
        "responses": {"204": {"description": "Which origins, methods and headers are allowed."}},
        "x-amazon-apigateway-integration": _INTEGRATION,
    }
    return {"options": _if_cors(operation)}


def _if_cors(value: Any) -> Json:
    return {"Fn::If": ["HasCors", value, {"Ref": "AWS::NoValue"}]}


def _response(error: _GatewayError) -> Json:
    problem = {
        "type": f"urn:coinfarm:problem:{error.problem_type}",
        "title": error.title,
        "status": int(error.status),
        "detail": error.detail,
    }
    return {
        "statusCode": str(int(error.status)),
        "responseParameters": {
            "gatewayresponse.header.Content-Type": f"'{CONTENT_TYPE}'",
            # For pages of all origins: these responses contain no data, and cannot name one of several origins.
            "gatewayresponse.header.Access-Control-Allow-Origin": _if_cors("'*'"),
        },
        "responseTemplates": {"application/json": json.dumps(problem)},
    }
