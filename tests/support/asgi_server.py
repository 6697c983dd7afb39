"""The ASGI application in a real server on a free local port."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from handler.asgi import Application
from handler.http_server import HttpServer


@contextmanager
def serving(application: Application) -> Iterator[httpx.Client]:
    """A client of the application, which runs in a server until the block ends."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = HttpServer(application, log_config=None)
        thread = threading.Thread(target=server.run, args=([bound],))
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "the server did not start"
                time.sleep(0.01)
            with httpx.Client(base_url=f"http://127.0.0.1:{bound.getsockname()[1]}", trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()
