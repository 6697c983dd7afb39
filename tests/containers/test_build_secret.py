"""Building an image with a private package index, whose address contains a token."""

import base64
import io
import shutil
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from images.docker import Docker
from tests.containers.conftest import ROOT, run

pytestmark = [pytest.mark.docker, pytest.mark.enable_socket]

TOKEN = "eyJ2ZXIiOjEsImlzdSI6MTcwMDAwMDAwMH0"
WHEEL = "our_renderer-1.0-py3-none-any.whl"


def wheel():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("our_renderer.py", "name = 'ours'\n")
        information = "our_renderer-1.0.dist-info"
        archive.writestr(f"{information}/METADATA", "Metadata-Version: 2.1\nName: our-renderer\nVersion: 1.0\n")
        archive.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{information}/RECORD", "")
    return file.getvalue()


class Index(BaseHTTPRequestHandler):
    """An index with one wheel, which requires the token."""

    def do_GET(self):
        if self.headers["Authorization"] != "Basic " + base64.b64encode(f"aws:{TOKEN}".encode()).decode():
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream" if self.path.endswith(".whl") else "text/html")
        self.end_headers()
        self.wfile.write(wheel() if self.path.endswith(".whl") else f'<a href="/{WHEEL}">{WHEEL}</a>'.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def index():
    """The address of the index, with the token."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://aws:{TOKEN}@127.0.0.1:{server.server_port}/simple/"
        server.shutdown()


@pytest.fixture
def context(tmp_path):
    """A checkout with the real Dockerfile that depends only on the private package."""
    for name in ("Dockerfile", ".dockerignore"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("image_render", "coinfarm", "handler"):
        (tmp_path / name).mkdir()
    shutil.copytree(ROOT / "images", tmp_path / "images")
    (tmp_path / "constraints.txt").write_text("our-renderer==1.0\n")
    (tmp_path / "pyproject.toml").write_text(
        "[project]\ndependencies = ['our-renderer']\noptional-dependencies = {keras = [], serve = []}\n"
    )
    return tmp_path


@pytest.fixture
def built(environment, worker_flags, index, context):
    tag = "coinfarm:with-a-secret"
    flags = ["--network", "host", "--no-cache", "--secret", "id=pip_index,env=PIP_INDEX_URL", *worker_flags]
    Docker(environment | {"PIP_INDEX_URL": index}, context).build("gpu", tag, *flags)
    yield tag
    run(environment, "docker", "image", "rm", tag)


def test_private_package_is_installed_and_the_image_does_not_contain_the_token(environment, built):
    docker = Docker(environment)
    assert docker.run_python(built, "import our_renderer; print(our_renderer.name)") == b"ours\n"
    assert TOKEN not in run(environment, "docker", "history", "--no-trunc", built)
    with docker.archive(built) as archive:
        assert b"our_renderer" in (content := archive.stdout.read())
    assert TOKEN.encode() not in content
    assert b"pip_index" in content  # the command in the history
