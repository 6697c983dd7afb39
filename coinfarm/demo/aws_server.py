"""The stand-in for AWS, as a process of its own: moto's server with the template's buckets and queues in it.

`python -m coinfarm.demo.aws_server TEMPLATE` prints a line of JSON when everything exists, and ends when its standard input is closed, so
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
from coinfarm.demo.template import local_part
from coinfarm.errors import CoinfarmError
from coinfarm.extras import require

_STACK = "coinfarm"


def main() -> None:
    """Serve on a free port of the loopback."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all of a terminal's processes; who started this one ends it
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
    require("the demo", "moto", "yaml")
    from moto.server import ThreadedMotoServer

    part = local_part(Path(sys.argv[1]))
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    outputs = deploy(part, f"http://{host}:{port}")
    kinds = {name: resource["Type"] for name, resource in part["Resources"].items()}
    print(json.dumps({"endpoint": f"http://{host}:{port}", "outputs": outputs, "kinds": kinds}), flush=True)
    sys.stdin.read()
    sys.stdout.flush()
    os._exit(0)  # the server's thread would wait for connections that nobody closes


def deploy(part: dict[str, object], endpoint: str) -> dict[str, str]:
    """Create a stack of the template's part at `endpoint`; the values of its outputs, where addresses of queues are ones at `endpoint`."""
    client = aws_client("cloudformation", endpoint_url=endpoint)
    client.create_stack(StackName=_STACK, TemplateBody=json.dumps(part))
    stack = client.describe_stacks(StackName=_STACK)["Stacks"][0]
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise CoinfarmError(f"the template's buckets and queues could not be made: {stack['StackStatus']}")
    return {output["OutputKey"]: _here(output["OutputValue"], endpoint) for output in stack["Outputs"]}


def _here(value: str, endpoint: str) -> str:
    return f"{endpoint}{urlsplit(value).path}" if value.startswith("https://sqs.") else value


if __name__ == "__main__":
    try:
        main()
    except CoinfarmError as error:
        sys.exit(str(error))
