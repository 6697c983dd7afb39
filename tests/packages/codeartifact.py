"""A stand-in for CodeArtifact in its own process: two API calls, and pypiserver as an index that requires a token.

`python codeartifact.py FOLDER` stores packages in FOLDER, prints its address and its token, and exits at the end of its standard input.
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
    query = {name: values[0] for name, values in parse_qs(request.query_string.decode()).items()}
    if query.get("domain") != DOMAIN or query.get("repository", REPOSITORY) != REPOSITORY:
        response = Response(
            json.dumps({"message": "Domain or repository not found."}), 404, {"x-amzn-ErrorType": "ResourceNotFoundException"}
        )
    elif (request.method, request.path) == ("POST", "/v1/authorization-token"):
        response = Response(json.dumps({"authorizationToken": TOKEN, "expiration": 1_900_000_000}))
    elif (request.method, request.path, query.get("format")) == ("GET", "/v1/repository/endpoint", "pypi"):
        response = Response(json.dumps({"repositoryEndpoint": f"{request.host_url}pypi/{REPOSITORY}/"}))
    else:
        response = Response(status=400)
    return response(environ, start_response)


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
