"""What API Gateway is told of the routes: `handler/api_gateway.json`, which template.yaml includes.

It is made from the document for people, and says no more than API Gateway acts on, which reads JSON Schema of draft 4 without `nullable`,
`anyOf` and `discriminator`.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from handler.problems import CONTENT_TYPE

FILE = Path(__file__).with_name("api_gateway.json")
OPEN_PATH = "/health"
"""The one path that asks for no key: load balancers and monitors have none."""

Json = dict[str, Any]

# By the alias, so that a deployment moves requests to a new version bit by bit. Not ${ApiFunction.Alias}, which sam alone resolves.
_INVOKE = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${ApiFunction.Arn}:live/invocations"

_REQUEST: Json = {
    "type": "object",
    "required": ["symbol", "interval", "candles"],
    "properties": {"symbol": {"type": "string"}, "interval": {"type": "string"}, "candles": {"type": "array"}},
}
"""The shape of a request, and no more: API Gateway names no candle, where the handler points at the one at fault; and it must refuse
nothing that the handler takes (such as "3" for a stride)."""


@dataclass(frozen=True)
class _Refusal:
    """A problem that API Gateway finds before the handler is asked, or after it has not answered."""

    kind: str
    status: HTTPStatus
    title: str
    detail: str


def _forbidden(detail: str) -> _Refusal:
    return _Refusal("NotLetIn", HTTPStatus.FORBIDDEN, "Forbidden", detail)


_SIGNATURE = "The signature (SigV4) is not valid: check the credentials, the region and the clock."

# Each kind that can occur, with a status of its own: a template cannot tell the status, and that of a default would hold for all its kinds.
_REFUSALS = {
    "BAD_REQUEST_BODY": _Refusal(
        "MalformedRequest",
        HTTPStatus.BAD_REQUEST,
        "Malformed request",
        "The body must be a JSON object that has at least a symbol and an interval, both strings, and candles, an array.",
    ),
    "BAD_REQUEST_PARAMETERS": _Refusal(
        "MalformedRequest",
        HTTPStatus.BAD_REQUEST,
        "Malformed request",
        "A parameter of the path, the query or the headers is missing.",
    ),
    "DEFAULT_4XX": _Refusal("MalformedRequest", HTTPStatus.BAD_REQUEST, "Malformed request", "API Gateway rejected the request."),
    "UNAUTHORIZED": _Refusal("NotLetIn", HTTPStatus.UNAUTHORIZED, "Unauthorized", "The request has no valid credentials."),
    "ACCESS_DENIED": _forbidden("The caller has no permission for execute-api:Invoke on this API."),
    "INVALID_API_KEY": _forbidden("The header x-api-key must hold a valid API key."),
    "INVALID_SIGNATURE": _forbidden(_SIGNATURE),
    "EXPIRED_TOKEN": _forbidden("The credentials of the signature have expired."),
    "MISSING_AUTHENTICATION_TOKEN": _forbidden("The route does not exist, or it requires a signature (SigV4) that is missing."),
    "WAF_FILTERED": _forbidden("A firewall (AWS WAF) blocked the request."),
    "RESOURCE_NOT_FOUND": _Refusal("NoSuchRoute", HTTPStatus.NOT_FOUND, "Not found", "The route does not exist."),
    "REQUEST_TOO_LARGE": _Refusal(
        "TooLarge",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "Request too large",
        "API Gateway accepts at most 10 MB: send fewer candles at a time, or put them into a file and send its URI to the queue.",
    ),
    "UNSUPPORTED_MEDIA_TYPE": _Refusal(
        "UnsupportedMediaType",
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "Unsupported media type",
        "Send application/json or application/x-npz.",
    ),
    "THROTTLED": _Refusal(
        "TooManyRequests",
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many requests",
        "The rate limit of requests per second is exceeded; try again.",
    ),
    "QUOTA_EXCEEDED": _Refusal(
        "QuotaExceeded", HTTPStatus.TOO_MANY_REQUESTS, "Too many requests", "The monthly quota of the key is used up."
    ),
    "INTEGRATION_TIMEOUT": _Refusal(
        "NoAnswer",
        HTTPStatus.GATEWAY_TIMEOUT,
        "Gateway timeout",
        "The request took over 29 seconds: send fewer candles at a time, or try again.",
    ),
    "INTEGRATION_FAILURE": _Refusal(
        "NoAnswer", HTTPStatus.GATEWAY_TIMEOUT, "Gateway timeout", "The function could not be reached: try again."
    ),
    "DEFAULT_5XX": _Refusal("InternalError", HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error", "Try again."),
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
"""`coinfarm serve` asks for neither."""


def refusals(path: str) -> dict[int, str]:
    """Status and title of what API Gateway may answer to any request for a path, whatever it holds."""
    kinds = ["THROTTLED", "INTEGRATION_TIMEOUT"]
    if path != OPEN_PATH:
        kinds += ["UNAUTHORIZED", "INVALID_API_KEY"]
    return {int(_REFUSALS[kind].status): _REFUSALS[kind].title for kind in kinds}


def gateway_document(described: Json) -> Json:
    """The document for API Gateway, of the one for people."""
    return {
        "openapi": described["openapi"],
        # The title becomes the API's name, by which its metrics are told apart.
        "info": {"title": {"Ref": "AWS::StackName"}, "version": described["info"]["version"]},
        "x-amazon-apigateway-api-key-source": "HEADER",
        "x-amazon-apigateway-request-validators": {"shape": {"validateRequestBody": True, "validateRequestParameters": True}},
        "x-amazon-apigateway-request-validator": "shape",
        "x-amazon-apigateway-gateway-responses": {kind: _response(refusal) for kind, refusal in sorted(_REFUSALS.items())},
        "paths": {
            path: {method: _operation(path, operation) for method, operation in operations.items()}
            for path, operations in described["paths"].items()
        },
        "components": {
            "schemas": {"PredictionRequest": _REQUEST},
            "securitySchemes": SECURITY_SCHEMES | {"sigv4": SECURITY_SCHEMES["sigv4"] | {"x-amazon-apigateway-authtype": "awsSigv4"}},
        },
    }


def _operation(path: str, described: Json) -> Json:
    operation: Json = {"operationId": described["operationId"], "responses": {"200": {"description": "What the handler answers."}}}
    if "parameters" in described:
        operation["parameters"] = [
            {"name": each["name"], "in": each["in"], "required": each["required"], "schema": {"type": each["schema"]["type"]}}
            for each in described["parameters"]
        ]
    if "requestBody" in described:
        # A body of another kind passes unread. One of application/x-npz that had a model here would have to be JSON.
        schema = {"$ref": "#/components/schemas/PredictionRequest"}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if path != OPEN_PATH:
        # The condition within the list: `sam local` decides none here, and stops at what is no list.
        operation["security"] = [{"Fn::If": ["UseApiKeys", {"apiKey": []}, {"sigv4": []}]}]
    operation["x-amazon-apigateway-integration"] = {"type": "aws_proxy", "httpMethod": "POST", "uri": {"Fn::Sub": _INVOKE}}
    return operation


def _response(refusal: _Refusal) -> Json:
    problem = {
        "type": f"urn:coinfarm:problem:{refusal.kind}",
        "title": refusal.title,
        "status": int(refusal.status),
        "detail": refusal.detail,
    }
    return {
        "statusCode": str(int(refusal.status)),
        "responseParameters": {"gatewayresponse.header.Content-Type": f"'{CONTENT_TYPE}'"},
        "responseTemplates": {"application/json": json.dumps(problem)},
    }
