"""An HTTP server that fails as S3 may."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FailingServer:
    """Sends the next of `responses` to each request: status, body, and how many bytes of the body are sent before it disconnects."""

    def __init__(self) -> None:
        self.responses: list[tuple[int, bytes, int]] = []
        responses = self.responses

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body, sent_bytes = responses.pop(0)
                self.send_response(status)
                self.send_header("ETag", '"1"')
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[:sent_bytes])
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
