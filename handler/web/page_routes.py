"""The routes of the page and of its files."""

from handler.server_routes import Route, ServerRequest, ServerResponse
from handler.web.page_files import INDEX, PageFile, page_files

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",  # the browser asks whether the file is still the same
    "vary": "accept-encoding",
}


def page_routes() -> dict[tuple[str, str], Route]:
    """A route for each file: no path of a request is ever a path of the file system."""
    return {("GET", "/" if name == INDEX else f"/assets/{name}"): _route(file) for name, file in page_files().items()}


def _route(file: PageFile) -> Route:
    async def send_file(request: ServerRequest) -> ServerResponse:
        headers = {**_HEADERS, "etag": file.etag}
        if file.etag in request.headers.get("if-none-match", ""):
            return ServerResponse(b"", file.media_type, 304, headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return ServerResponse(file.compressed, file.media_type, 200, {**headers, "content-encoding": "gzip"})
        return ServerResponse(file.content, file.media_type, 200, headers)

    return send_file
