"""The HTTP server of `cloud`: the stand-in for sam, the REST API, Lambda's Invoke; it passes other requests on to moto."""

import base64
import json
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import parse_qsl, unquote, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from botocore.exceptions import ClientError

from tests.support.demo_requests import rest_event

if TYPE_CHECKING:
    from tests.docs.cloud import Cloud

_FUNCTIONS = "/2015-03-31/functions/"
_WITHOUT_PROXY = build_opener(ProxyHandler({}))


class SamError(Exception):
    """A command that `sam` would reject."""


def request_handler(cloud: "Cloud") -> type[BaseHTTPRequestHandler]:
    """The request handler class of a cloud."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                status, headers, content = self._response(urlsplit(self.path), body)
            except Exception as error:  # noqa: BLE001 - reported to the client
                status, headers, content = 500, {"Content-Type": "text/plain"}, repr(error).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PUT = do_DELETE = do_PATCH = do_GET

        def log_message(self, *_: object) -> None:
            pass

        def _response(self, url, body):
            if url.path == "/sam":
                return _sam(cloud, json.loads(body))
            if url.path.startswith("/api/"):
                return _api(cloud, self.command, url, self.headers, body)
            if url.path.startswith(_FUNCTIONS) and url.path.endswith("/invocations"):
                return _invocation(cloud, unquote(url.path.removeprefix(_FUNCTIONS).removesuffix("/invocations")), body)
            return _forwarded(cloud, self, body)

    return Handler


def _sam(cloud, arguments):
    try:
        if arguments["command"] == "deploy":
            output = cloud.deploy(arguments["stack"], arguments["parameters"], arguments["template"])
        else:
            output = cloud.delete(arguments["stack"])
    except (SamError, ClientError, AssertionError) as error:
        return 400, {}, str(error).encode()
    return 200, {}, output.encode()


def _api(cloud, method, url, headers, body):
    """A REST API with proxy integration, without throttling."""
    _, _, api, _, *rest = url.path.split("/")
    stack, path = cloud.stack_with(api), "/" + "/".join(rest)
    if path != "/health" and not stack.accepts_key(headers.get("x-api-key", "")):
        return 403, {"Content-Type": "application/json"}, b'{"message":"Forbidden"}'
    event = rest_event(method, path, headers.get("Content-Type", ""), body)
    event["queryStringParameters"] = dict(parse_qsl(url.query)) or None
    if "Accept" in headers:
        event["headers"]["Accept"] = headers["Accept"]
        event["multiValueHeaders"]["Accept"] = [headers["Accept"]]
    response = stack.invoke(event)
    response_headers = response.get("headers") or {name: values[0] for name, values in response["multiValueHeaders"].items()}
    content = base64.b64decode(response["body"]) if response["isBase64Encoded"] else response["body"].encode()
    return response["statusCode"], response_headers, content


def _invocation(cloud, function, body):
    name = function.split(":")[6] if function.startswith("arn:") else function.split(":")[0]
    return 200, {"Content-Type": "application/json"}, json.dumps(cloud.stack_with(name).invoke(json.loads(body))).encode()


def _forwarded(cloud, request, body):
    headers = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "content-length", "connection")}
    to_moto = Request(cloud.account.endpoint + request.path, data=body or None, headers=headers, method=request.command)
    try:
        with _WITHOUT_PROXY.open(to_moto) as response:
            return response.status, {"Content-Type": response.headers.get("Content-Type", "")}, response.read()
    except HTTPError as error:
        with error:
            return error.code, {"Content-Type": error.headers.get("Content-Type", "")}, error.read()
