"""A mock of AWS in its own process: moto's server with the template's buckets and queues.

`python -m coinfarm.demo.aws_server TEMPLATE` prints a line of JSON when everything is deployed. It ends when its standard input closes, so
it never outlives the process that started it.
"""

import json
import logging
import os
import signal
import sys
from pathlib import Path
from urllib.parse import urlsplit

from coinfarm.aws.client import aws_client
from coinfarm.demo.stack_template import buckets_and_queues
from coinfarm.errors import CoinfarmError
from coinfarm.extras import require

_STACK = "coinfarm"


def main() -> None:
    """Serve on a free port of the loopback interface."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the parent ends this one
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # which logs every request
    require("the demo", "moto", "yaml")
    from moto.server import ThreadedMotoServer

    template = buckets_and_queues(Path(sys.argv[1]))
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    outputs = deploy(template, f"http://{host}:{port}")
    resources = {name: resource["Type"] for name, resource in template["Resources"].items()}
    print(json.dumps({"endpoint": f"http://{host}:{port}", "outputs": outputs, "resources": resources}), flush=True)
    sys.stdin.read()
    sys.stdout.flush()
    os._exit(0)  # the server's thread would wait for open connections


def deploy(template: dict[str, object], endpoint: str) -> dict[str, str]:
    """Create a stack at `endpoint`. Returns its outputs; queue URLs are those at `endpoint`."""
    client = aws_client("cloudformation", endpoint_url=endpoint)
    client.create_stack(StackName=_STACK, TemplateBody=json.dumps(template))
    stack = client.describe_stacks(StackName=_STACK)["Stacks"][0]
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise CoinfarmError(f"the template's buckets and queues could not be created: {stack['StackStatus']}")
    return {output["OutputKey"]: _local_url(output["OutputValue"], endpoint) for output in stack["Outputs"]}


def _local_url(value: str, endpoint: str) -> str:
    return f"{endpoint}{urlsplit(value).path}" if value.startswith("https://sqs.") else value


if __name__ == "__main__":
    try:
        main()
    except CoinfarmError as error:
        sys.exit(str(error))
