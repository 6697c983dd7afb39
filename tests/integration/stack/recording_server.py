"""moto's server in its own process, with a record of all calls and an instance metadata service.

`python -m tests.integration.stack.recording_server RECORD` prints its address, and exits at the end of its standard input.
"""

import importlib
import json
import os
import sys
import threading
from io import BytesIO
from pathlib import Path

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from tests.integration.stack.calls import iam_calls, to_lines

INSTANCE_FILE = "instance.json"
"""A file next to the record: the `id` and the `group` of the instance that the metadata service describes."""


class Recorder:
    """WSGI middleware that records the IAM calls of each request."""

    def __init__(self, app, record):
        self._app, self._record, self._lock = app, record, threading.Lock()

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"].startswith("/latest/"):
            return self._respond_as_metadata_service(environ, start_response)
        is_chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "")
        body = environ["wsgi.input"].read() if is_chunked else environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)

        def record_and_respond(status, headers, *error):
            with self._lock, self._record.open("a") as record:
                record.write(to_lines(iam_calls(environ, body, int(status.split()[0]), self._group_of)))
            return start_response(status, headers, *error)

        return self._app(environ, record_and_respond)

    @property
    def _instance(self):
        return json.loads(self._record.with_name(INSTANCE_FILE).read_text())

    def _group_of(self, instance_id):
        assert instance_id == self._instance["id"]
        return self._instance["group"]

    def _respond_as_metadata_service(self, environ, start_response):
        values = {"/latest/api/token": "token", "/latest/meta-data/instance-id": self._instance["id"]}
        found = values.get(environ["PATH_INFO"])
        start_response("404 Not Found" if found is None else "200 OK", [("Content-Type", "text/plain")])
        return [(found or "").encode()]


def main():
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # loading them takes seconds
    importlib.import_module("tests.integration.stack.moto_resources")  # before moto looks for its resources
    record = Path(sys.argv[1])
    app = Recorder(DomainDispatcherApplication(create_backend_app), record)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = "http://{}:{}".format(*server.server_address[:2])
    os.environ["AWS_ENDPOINT_URL"] = endpoint  # for resources that are created by a call
    print(endpoint, flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
