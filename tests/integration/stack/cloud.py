"""The account: moto's server as a process of its own, which records what it is asked, and answers as an instance's metadata service too.

`python -m tests.integration.stack.cloud RECORD` prints its address, and the types of resources that moto had to be taught. It ends when its
standard input does.
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

from tests.integration.stack.calls import calls_of, written

INSTANCE_FILE = "instance.json"
"""Beside the record: the instance that the metadata service speaks of, its `id` and its `group`."""


class Recorder:
    """Passes each request on, and writes down what IAM would be asked."""

    def __init__(self, app, record):
        self._app, self._record, self._lock = app, record, threading.Lock()

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"].startswith("/latest/"):
            return self._tell_metadata(environ, start_response)
        is_chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "")
        body = environ["wsgi.input"].read() if is_chunked else environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)

        def answered(status, headers, *error):
            with self._lock, self._record.open("a") as record:
                record.write(written(calls_of(environ, body, int(status.split()[0]), self._group_of)))
            return start_response(status, headers, *error)

        return self._app(environ, answered)

    @property
    def _instance(self):
        return json.loads(self._record.with_name(INSTANCE_FILE).read_text())

    def _group_of(self, instance_id):
        assert instance_id == self._instance["id"]
        return self._instance["group"]

    def _tell_metadata(self, environ, start_response):
        told = {"/latest/api/token": "token", "/latest/meta-data/instance-id": self._instance["id"]}
        found = told.get(environ["PATH_INFO"])
        start_response("404 Not Found" if found is None else "200 OK", [("Content-Type", "text/plain")])
        return [(found or "").encode()]


def main():
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # which takes seconds
    taught = importlib.import_module("tests.integration.stack.moto_resources")  # while moto has not yet looked for its resources
    record = Path(sys.argv[1])
    app = Recorder(DomainDispatcherApplication(create_backend_app), record)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = "http://{}:{}".format(*server.server_address[:2])
    os.environ["AWS_ENDPOINT_URL"] = endpoint  # for the resources that are made by a call
    print(json.dumps({"endpoint": endpoint, "lacking": sorted(taught.LACKING), "replaced": sorted(taught.REPLACED)}), flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
