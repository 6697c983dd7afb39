"""HTTP requests in the envelopes in which API Gateway, function URLs and load balancers send them to the function."""

import base64
import hashlib
from urllib.parse import parse_qs, parse_qsl

from ids import ACCOUNT, NOW, REGION, SOURCE_IP, Json, milliseconds, trace_id, unique_id

from coinfarm.serving.candle_upload import FILE_TYPES

_REQUEST_TIME = f"{NOW:%d/%b/%Y:%H:%M:%S +0000}"
_API_ID = "a1b2c3d4e5"
_HOST = f"{_API_ID}.execute-api.{REGION}.amazonaws.com"
_USER_AGENT = "curl/8.14.1"
_COGNITO = (f"cognito{name}" for name in ("AuthenticationProvider", "AuthenticationType", "IdentityId", "IdentityPoolId"))
_NO_IDENTITY = dict.fromkeys(("accessKey", "accountId", "caller", *_COGNITO, "principalOrgId", "user", "userArn"))


def rest_event(method: str, path: str, media_type: str, body: bytes, query: str = "") -> Json:
    """An event of a REST API (Lambda proxy integration)."""
    request_id = unique_id(f"rest {method} {path} {media_type}")
    headers = {
        "Accept": "image/png" if path == "/frames" else "*/*",
        **({"Content-Type": media_type} if media_type else {}),
        "Host": _HOST,
        "User-Agent": _USER_AGENT,
        "X-Amzn-Trace-Id": trace_id(request_id),
        "X-Forwarded-For": SOURCE_IP,
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
    }
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": dict(parse_qsl(query)) or None,
        "multiValueQueryStringParameters": parse_qs(query) or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": _API_ID,
            "deploymentId": "d4e5f6",
            "domainName": _HOST,
            "domainPrefix": _API_ID,
            "extendedRequestId": base64.b64encode(hashlib.sha256(request_id.encode()).digest()[:11]).decode(),
            "httpMethod": method,
            "identity": {**_NO_IDENTITY, "sourceIp": SOURCE_IP, "userAgent": _USER_AGENT},
            "path": f"/v1{path}",
            "protocol": "HTTP/1.1",
            "requestId": request_id,
            "requestTime": _REQUEST_TIME,
            "requestTimeEpoch": milliseconds(NOW),
            "resourceId": hashlib.sha256(path.encode()).hexdigest()[:6],
            "resourcePath": path,
            "stage": "v1",
        },
        **_event_body(body, media_type),
    }


def http_event(method: str, path: str, media_type: str, body: bytes, query: str = "") -> Json:
    """An event of an HTTP API, payload format 2.0, which omits absent fields."""
    request_id = base64.b64encode(hashlib.sha256(f"http {method} {path} {media_type}".encode()).digest()[:11]).decode()
    headers = {
        "accept": "*/*",
        "content-length": str(len(body)),
        **({"content-type": media_type} if media_type else {}),
        "host": _HOST,
        "user-agent": _USER_AGENT,
        "x-amzn-trace-id": trace_id(request_id),
        "x-forwarded-for": SOURCE_IP,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    event = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "queryStringParameters": dict(parse_qsl(query)) or None,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": _API_ID,
            "domainName": _HOST,
            "domainPrefix": _API_ID,
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": SOURCE_IP, "userAgent": _USER_AGENT},
            "requestId": request_id,
            "routeKey": f"{method} {path}",
            "stage": "$default",
            "time": _REQUEST_TIME,
            "timeEpoch": milliseconds(NOW),
        },
        **_event_body(body, media_type),
    }
    return {name: value for name, value in event.items() if value is not None}


def function_url_event(method: str, path: str, media_type: str, body: bytes, query: str = "") -> Json:
    """An event of a function URL: as an HTTP API's, with another host and one route."""
    event = http_event(method, path, media_type, body, query)
    host = f"{_API_ID}.lambda-url.{REGION}.on.aws"
    context = event["requestContext"] | {"domainName": host, "routeKey": "$default"}
    return event | {"routeKey": "$default", "headers": event["headers"] | {"host": host}, "requestContext": context}


def load_balancer_event(method: str, path: str, media_type: str, body: bytes, query: str = "") -> Json:
    """An event of an Application Load Balancer."""
    headers = {
        "accept": "*/*",
        **({"content-type": media_type} if media_type else {}),
        "host": f"coinfarm-1234567890.{REGION}.elb.amazonaws.com",
        "user-agent": _USER_AGENT,
        "x-amzn-trace-id": trace_id(f"load balancer {method} {path} {media_type}"),
        "x-forwarded-for": SOURCE_IP,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    event_body = _event_body(body, media_type)
    arn = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/coinfarm/6d0ecf831eec9f09"
    return {
        "requestContext": {"elb": {"targetGroupArn": arn}},
        "httpMethod": method,
        "path": path,
        "queryStringParameters": _encoded(query),
        "headers": headers,
        "body": event_body["body"] or "",
        "isBase64Encoded": event_body["isBase64Encoded"],
    }


def multi_value_event(method: str, path: str, media_type: str, body: bytes, query: str = "") -> Json:
    """An event of an Application Load Balancer whose target group has multi-value headers."""
    event = load_balancer_event(method, path, media_type, body, query)
    headers = {name: [value] for name, value in event.pop("headers").items()}
    parameters = {name: [value] for name, value in event.pop("queryStringParameters").items()}
    return event | {"multiValueQueryStringParameters": parameters, "multiValueHeaders": headers}


def _encoded(query: str) -> dict[str, str]:
    """A load balancer does not decode parameters."""
    return dict(part.split("=", 1) for part in query.split("&")) if query else {}


def _event_body(body: bytes, media_type: str) -> Json:
    if media_type in ("application/x-npz", *FILE_TYPES):
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return {"body": body.decode() or None, "isBase64Encoded": False}
