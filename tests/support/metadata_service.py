"""A stand-in for EC2's instance metadata service (IMDSv2)."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.http_server import QuietHandler, response, serving


class MetadataService:
    """`values` are the metadata by path; requests need `token`."""

    def __init__(self) -> None:
        self.url = ""
        self.values = {"instance-id": "i-0123"}
        self.token = "token"

    @classmethod
    @contextmanager
    def running(cls) -> "Iterator[MetadataService]":
        service = cls()

        class Handler(QuietHandler):
            def do_PUT(self) -> None:
                response("token")(self)

            def do_GET(self) -> None:
                if self.headers["X-aws-ec2-metadata-token"] != service.token:
                    self.send_error(401)
                    return
                text = service.values.get(self.path.removeprefix("/latest/meta-data/"))
                response("404 - Not Found" if text is None else text, 404 if text is None else 200)(self)

        with serving(Handler) as service.url:
            yield service
