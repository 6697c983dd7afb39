"""A stand-in for CodeArtifact, as a process of its own: its two calls that matter here, and behind a token pypiserver as the index.

`python codeartifact.py FOLDER` keeps packages in FOLDER, prints its address and its token, and ends when its standard input does.
"""

import json
import os
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # its copy of Bottle imports cgi
    import pypiserver

DOMAIN, REPOSITORY = "coinfarm", "packages"
TOKEN = "eyJ2ZXIiOjEsImlzdSI6MTcwMH0.a+b/c=d"


def control_plane(environ: dict, start_response: Callable):
    request = Request(environ)
    asked = {name: values[0] for name, values in parse_qs(request.query_string.decode()).items()}
    if asked.get("domain") != DOMAIN or asked.get("repository", REPOSITORY) != REPOSITORY:
        answer = Response(
            json.dumps({"message": "Domain or repository not found."}), 404, {"x-amzn-ErrorType": "ResourceNotFoundException"}
        )
    elif (request.method, request.path) == ("POST", "/v1/authorization-token"):
        answer = Response(json.dumps({"authorizationToken": TOKEN, "expiration": 1_900_000_000}))
    elif (request.method, request.path, asked.get("format")) == ("GET", "/v1/repository/endpoint", "pypi"):
        answer = Response(json.dumps({"repositoryEndpoint": f"{request.host_url}pypi/{REPOSITORY}/"}))
    else:
        answer = Response(status=400)
    return answer(environ, start_response)


class Silent(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        pass


def main(folder: Path) -> None:
    index = pypiserver.app(
        roots=[folder],
        authenticate=["update", "download", "list"],
        auther=lambda user, password: (user, password) == ("aws", TOKEN),
        disable_fallback=True,
    )
    application = DispatcherMiddleware(control_plane, {f"/pypi/{REPOSITORY}": index})
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Silent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"endpoint": f"http://127.0.0.1:{server.port}", "token": TOKEN}), flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
