"""AWS for pages: moto's server with stacks of template.yaml in it. Their functions run here, behind the queue, the API and Lambda's.

moto cannot run a function's image. So a server of ours stands before its Lambda: an invocation reaches the function as a process of this
machine, with the function's own settings and role. Likewise the API: the stack's output ApiUrl leads to it.
"""

import base64
import json
import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import parse_qsl, unquote, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from botocore.exceptions import ClientError

from tests.docs.pages import ROOT
from tests.integration.stack.account import Account, Stack
from tests.integration.stack.farm import OPERATOR, Farm
from tests.support.demo_requests import rest_event
from tests.support.expanded_template import TEMPLATE, broken_rules

STAND_INS = Path(__file__).with_name("stand_ins")
_POLL_S = 0.3
_INVOKED = "/2015-03-31/functions/"
logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of feature toggles that only AWS sets
_DIRECT = build_opener(ProxyHandler({}))


class SamError(Exception):
    """What `sam` would refuse."""


class Cloud:
    """An account with its functions at work. `deploy` makes or changes a stack."""

    def __init__(self, account: Account, folder: Path) -> None:
        self.account, self._folder = account, folder
        self._farms: dict[str, RunningFarm] = {}
        self._lock = threading.Lock()
        self.url = ""

    @classmethod
    @contextmanager
    def opened(cls, folder: Path) -> Iterator["Cloud"]:
        """With no stack in it yet."""
        with Account.opened(folder) as account:
            cloud = cls(account, folder)
            server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(cloud))
            server.daemon_threads = True
            thread = threading.Thread(target=server.serve_forever, args=[0.05])
            thread.start()
            cloud.url = f"http://127.0.0.1:{server.server_address[1]}"
            try:
                yield cloud
            finally:
                server.shutdown()
                thread.join()
                server.server_close()
                for farm in cloud._farms.values():
                    farm.close()

    def environment(self) -> dict[str, str]:
        """What a page's processes need to find it."""
        return {
            "AWS_ENDPOINT_URL": self.account.endpoint,
            "AWS_ENDPOINT_URL_LAMBDA": self.url,
            "AWS_ACCESS_KEY_ID": OPERATOR,
            "DOCS_CLOUD_URL": self.url,
            "REAL_SAM": tools().get("sam", ""),
        }

    def deploy(self, name: str, parameters: dict[str, str], template: str = "template.yaml") -> str:
        """Do what `sam deploy` does; what to say of it. Raises `SamError`."""
        if template != "template.yaml":
            raise SamError(f"the stand-in deploys template.yaml only, not {template}")
        unknown = parameters.keys() - TEMPLATE["Parameters"].keys()
        if unknown:
            raise SamError(f"template.yaml has no parameter {', '.join(sorted(unknown))}")
        broken = broken_rules(**parameters)
        if broken:
            raise SamError("; ".join(broken))
        with self._lock:
            if name in self._farms:
                return self._change(name, parameters)
            stack = self.account.deploy(name, parameters, api_url=f"{self.url}/api/${{Api}}/v1")
            self._farms[name] = RunningFarm(self.account, stack, self._folder)
            return f"Successfully created/updated stack - {name} in us-east-1"

    def _change(self, name: str, parameters: dict[str, str]) -> str:
        if parameters == self._farms[name].parameters:
            return f"Successfully created/updated stack - {name} in us-east-1 (nothing has changed)"
        self._farms[name].close()
        stack = self.account.update(name, parameters, api_url=f"{self.url}/api/${{Api}}/v1")
        self._farms[name] = RunningFarm(self.account, stack, self._folder)
        return f"Successfully created/updated stack - {name} in us-east-1"

    def delete(self, name: str) -> str:
        """Do what `sam delete` does."""
        with self._lock:
            if name not in self._farms:
                raise SamError(f"there is no stack {name}")
            self._farms.pop(name).close()
            self.account.client("cloudformation").delete_stack(StackName=name)
        return "Deleted successfully"

    def farm_of(self, part: str) -> "RunningFarm":
        """The one whose function or API is named."""
        return next(farm for farm in self._farms.values() if part in (farm.function_name, farm.api_id))


class RunningFarm:
    """A stack whose API function answers, and whose batch function works off the queue."""

    def __init__(self, account: Account, stack: Stack, folder: Path) -> None:
        self._account = account
        own = folder / stack.name
        own.mkdir(exist_ok=True)
        self.farm = Farm(account, stack, own)
        self.function_name = stack.id_of("ApiFunction")
        self.api_id = stack.id_of("Api")
        (described,) = account.client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"]
        self.parameters = {each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])}
        self._processes = ExitStack()
        self._invoke = None
        self._lock = threading.Lock()
        self._ends = threading.Event()
        functions = account.client("lambda")
        for events in functions.list_event_source_mappings()["EventSourceMappings"]:  # moto would start a container
            functions.update_event_source_mapping(UUID=events["UUID"], Enabled=False)
        self._poller = threading.Thread(target=self._poll)
        self._poller.start()

    def close(self) -> None:
        self._ends.set()
        self._poller.join()
        self._processes.close()

    def invoke(self, event: object) -> object:
        """The answer of the API's function; one request at a time."""
        with self._lock:
            if self._invoke is None:
                self._invoke = self._processes.enter_context(self.farm.function("ApiFunction"))
            return self._invoke(event)

    def is_key(self, value: str) -> bool:
        """Whether the API takes it."""
        wanted = self.farm.stack.outputs.get("ApiKeyId")
        if wanted is None:
            return True
        found = self._account.client("apigateway").get_api_key(apiKey=wanted, includeValue=True)
        return bool(value == found["value"])

    def _poll(self) -> None:
        """The batch function is started when there is a message for it, as Lambda would."""
        with ExitStack() as processes:
            invoke = None
            while not self._ends.wait(_POLL_S):
                if invoke is None:
                    if not self._has_messages():
                        continue
                    invoke = processes.enter_context(self.farm.function("BatchFunction"))
                while not self._ends.is_set() and self.farm.work_off_as_lambda_does(invoke):
                    pass

    def _has_messages(self) -> bool:
        queue = self.farm.stack.outputs["QueueUrl"]
        wanted = "ApproximateNumberOfMessages"
        found = self._account.client("sqs", "BatchRole").get_queue_attributes(QueueUrl=queue, AttributeNames=[wanted])
        return found["Attributes"][wanted] != "0"


def _handler(cloud: Cloud) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                status, headers, content = self._answered(urlsplit(self.path), body)
            except Exception as error:  # noqa: BLE001 - the answer of a server
                status, headers, content = 500, {"Content-Type": "text/plain"}, repr(error).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PUT = do_DELETE = do_PATCH = do_GET

        def log_message(self, *_: object) -> None:
            pass

        def _answered(self, url, body):
            if url.path == "/sam":
                return _sam(cloud, json.loads(body))
            if url.path.startswith("/api/"):
                return _api(cloud, self.command, url, self.headers, body)
            if url.path.startswith(_INVOKED) and url.path.endswith("/invocations"):
                return _invocation(cloud, unquote(url.path.removeprefix(_INVOKED).removesuffix("/invocations")), body)
            return _passed_on(cloud, self, body)

    return Handler


def _sam(cloud, asked):
    try:
        if asked.pop("command") == "deploy":
            said = cloud.deploy(asked["stack"], asked["parameters"], asked["template"])
        else:
            said = cloud.delete(asked["stack"])
    except (SamError, ClientError, AssertionError) as error:
        return 400, {}, str(error).encode()
    return 200, {}, said.encode()


def _api(cloud, method, url, headers, body):
    """As a REST API with a proxy integration; without its throttling."""
    _, _, api, _, *rest = url.path.split("/")
    farm, path = cloud.farm_of(api), "/" + "/".join(rest)
    if path != "/health" and not farm.is_key(headers.get("x-api-key", "")):
        return 403, {"Content-Type": "application/json"}, b'{"message":"Forbidden"}'
    event = rest_event(method, path, headers.get("Content-Type", ""), body)
    event["queryStringParameters"] = dict(parse_qsl(url.query)) or None
    if "Accept" in headers:
        event["headers"]["Accept"] = headers["Accept"]
        event["multiValueHeaders"]["Accept"] = [headers["Accept"]]
    answer = farm.invoke(event)
    found = answer.get("headers") or {name: values[0] for name, values in answer["multiValueHeaders"].items()}
    content = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
    return answer["statusCode"], found, content


def _invocation(cloud, function, body):
    name = function.split(":")[6] if function.startswith("arn:") else function.split(":")[0]
    return 200, {"Content-Type": "application/json"}, json.dumps(cloud.farm_of(name).invoke(json.loads(body))).encode()


def _passed_on(cloud, request, body):
    headers = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "content-length", "connection")}
    asked = Request(cloud.account.endpoint + request.path, data=body or None, headers=headers, method=request.command)
    try:
        with _DIRECT.open(asked) as answer:
            return answer.status, {"Content-Type": answer.headers.get("Content-Type", "")}, answer.read()
    except HTTPError as error:
        with error:
            return error.code, {"Content-Type": error.headers.get("Content-Type", "")}, error.read()


def tools() -> dict[str, str]:
    """Where the AWS CLI and the SAM CLI lie: those of `make environments`, else those of this machine, if it has any."""
    found = {name: shutil.which(str(ROOT / f"build/{name}/bin/{name}")) or shutil.which(name) for name in ("aws", "sam")}
    return {name: path for name, path in found.items() if path}
