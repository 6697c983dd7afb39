"""AWS for pages: moto's server with stacks of template.yaml, whose functions run on this machine.

moto cannot run images. `cloud_server` receives invocations and API requests instead, and passes them to the function as a local process
with the function's own settings and role. The stack's output ApiUrl points to that server.
"""

import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path

from tests.docs.cloud_server import SamError, request_handler
from tests.docs.pages import ROOT
from tests.integration.stack.account import Account, Stack
from tests.integration.stack.processes import OPERATOR, StackProcesses
from tests.support.expanded_template import TEMPLATE, broken_rules

STAND_INS = Path(__file__).with_name("stand_ins")
_POLL_S = 0.3
logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of feature toggles that only AWS sets


class Cloud:
    """An account with running stacks."""

    def __init__(self, account: Account, folder: Path) -> None:
        self.account, self._folder = account, folder
        self._stacks: dict[str, RunningStack] = {}
        self._lock = threading.Lock()
        self.url = ""

    @classmethod
    @contextmanager
    def started(cls, folder: Path) -> Iterator["Cloud"]:
        """Start the servers; there are no stacks yet."""
        with Account.started(folder) as account:
            cloud = cls(account, folder)
            server = ThreadingHTTPServer(("127.0.0.1", 0), request_handler(cloud))
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
                cloud._close_stacks()

    def reset(self) -> None:
        """Delete everything."""
        self._close_stacks()
        self.account.reset()

    def _close_stacks(self) -> None:
        while self._stacks:
            self._stacks.popitem()[1].close()

    def environment(self) -> dict[str, str]:
        """The environment variables for the processes of a page."""
        return {
            "AWS_ENDPOINT_URL": self.account.endpoint,
            "AWS_ENDPOINT_URL_LAMBDA": self.url,
            "AWS_ACCESS_KEY_ID": OPERATOR,
            "DOCS_CLOUD_URL": self.url,
            "REAL_SAM": tools().get("sam", ""),
        }

    def deploy(self, name: str, parameters: dict[str, str], template: str = "template.yaml") -> str:
        """Create or update a stack, like `sam deploy`. Returns the output, raises `SamError`."""
        if template != "template.yaml":
            raise SamError(f"the stand-in deploys template.yaml only, not {template}")
        unknown = parameters.keys() - TEMPLATE["Parameters"].keys()
        if unknown:
            raise SamError(f"template.yaml has no parameter {', '.join(sorted(unknown))}")
        broken = broken_rules(**parameters)
        if broken:
            raise SamError("; ".join(broken))
        with self._lock:
            deploy = self.account.deploy
            if name in self._stacks:
                if parameters == self._stacks[name].parameters:
                    return f"Successfully created/updated stack - {name} in us-east-1 (no changes)"
                self._stacks[name].close()
                deploy = self.account.update
            stack = deploy(name, parameters, api_url=f"{self.url}/api/${{Api}}/v1")
            self._stacks[name] = RunningStack(self.account, stack, self._folder)
            return f"Successfully created/updated stack - {name} in us-east-1"

    def delete(self, name: str) -> str:
        """Delete a stack, like `sam delete`. Returns the output, raises `SamError`."""
        with self._lock:
            if name not in self._stacks:
                raise SamError(f"there is no stack {name}")
            self._stacks.pop(name).close()
            self.account.client("cloudformation").delete_stack(StackName=name)
        return "Deleted successfully"

    def stack_with(self, function_or_api: str) -> "RunningStack":
        """The stack with that function name or API id."""
        return next(stack for stack in self._stacks.values() if function_or_api in (stack.function_name, stack.api_id))


class RunningStack:
    """A stack whose API function handles requests and whose batch function processes the queue."""

    def __init__(self, account: Account, stack: Stack, folder: Path) -> None:
        self._account = account
        own_folder = folder / stack.name
        own_folder.mkdir(exist_ok=True)
        self._processes = StackProcesses(account, stack, own_folder)
        self._outputs = stack.outputs
        self.function_name = stack.physical_id("ApiFunction")
        self.api_id = stack.physical_id("Api")
        (described,) = account.client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"]
        self.parameters = {each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])}
        self._running = ExitStack()
        self._invoke = None
        self._lock = threading.Lock()
        self._closing = threading.Event()
        functions = account.client("lambda")
        for events in functions.list_event_source_mappings()["EventSourceMappings"]:  # moto would start a container
            functions.update_event_source_mapping(UUID=events["UUID"], Enabled=False)
        self._poller = threading.Thread(target=self._poll)
        self._poller.start()

    def close(self) -> None:
        self._closing.set()
        self._poller.join()
        self._running.close()

    def invoke(self, event: object) -> object:
        """The response of the API function, which handles one event at a time."""
        with self._lock:
            if self._invoke is None:
                self._invoke = self._running.enter_context(self._processes.function("ApiFunction"))
            return self._invoke(event)

    def accepts_key(self, value: str) -> bool:
        """Whether the API accepts a key."""
        key_id = self._outputs.get("ApiKeyId")
        if key_id is None:
            return True
        return bool(value == self._account.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)["value"])

    def _poll(self) -> None:
        """Process the queue; the batch function is started at the first message."""
        with ExitStack() as running:
            invoke = None
            while not self._closing.wait(_POLL_S):
                if invoke is None:
                    if not self._has_messages():
                        continue
                    invoke = running.enter_context(self._processes.function("BatchFunction"))
                while not self._closing.is_set() and self._processes.process_batch(invoke):
                    pass

    def _has_messages(self) -> bool:
        name = "ApproximateNumberOfMessages"
        queue = self._account.client("sqs", "BatchRole").get_queue_attributes(QueueUrl=self._outputs["QueueUrl"], AttributeNames=[name])
        return queue["Attributes"][name] != "0"


def tools() -> dict[str, str]:
    """The paths of the AWS CLI and the SAM CLI: those of `make environments`, or those of this machine, if it has any."""
    found = {name: shutil.which(str(ROOT / f"build/{name}/bin/{name}")) or shutil.which(name) for name in ("aws", "sam")}
    return {name: path for name, path in found.items() if path}
