"""The storage and the models over real HTTP: moto's server in the place of S3, and a server that fails as S3 may."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import numpy as np
import pytest
from moto.server import ThreadedMotoServer

from coinfarm.errors import Conflict, Forbidden, ModelError, NotFound, StorageError, Unavailable
from coinfarm.models.pointer import POINTER_KEY, rollback
from coinfarm.models.promotion import promote
from coinfarm.models.publish import publish
from coinfarm.models.store import ModelStore
from coinfarm.models.version import bundle_key
from coinfarm.prediction.model_manager import ModelManager
from coinfarm.storage import Storage, open_storage, s3
from tests.support.fake_models import FakeEngine, promote_model, publish_model, seal

FRAMES = np.zeros((2, 200, 150, 3), np.uint8)


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def point_s3_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Lets the process' one client talk to another endpoint."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    def point(url: str) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        s3._client.cache_clear()

    yield point
    s3._client.cache_clear()


@pytest.fixture
def storage(moto_url: str, point_s3_at: Callable[[str], None], tmp_path: Path) -> Storage:
    """A prefix of its own in one bucket."""
    point_s3_at(moto_url)
    boto3.client("s3").create_bucket(Bucket="models")
    return open_storage(f"s3://models/{tmp_path.name}")


@pytest.fixture
def refusals() -> list[str]:
    return []


@pytest.fixture
def manager(storage: Storage, tmp_path: Path, refusals: list[str]) -> ModelManager:
    """One that asks for the pointer at every call."""
    return ModelManager(storage.uri(), FakeEngine, cache_dir=tmp_path / "cache", refresh_s=0, on_refusal=refusals.append)


def _value(manager: ModelManager) -> float:
    return float(manager.serving().engine.predict(FRAMES)[0, 0])


def test_what_is_written_is_read_back(storage: Storage, tmp_path: Path) -> None:
    etag = storage.write("a/b.json", b"{}", content_type="application/json")
    assert storage.read("a/b.json") == (b"{}", etag)
    assert storage.exists("a/b.json")
    storage.download("a/b.json", tmp_path / "copy", max_bytes=2)
    assert (tmp_path / "copy").read_bytes() == b"{}"


def test_what_is_not_there_is_not_found(storage: Storage, tmp_path: Path) -> None:
    assert not storage.exists("key")
    for use in (storage.read, lambda key: storage.download(key, tmp_path / "copy", 1), open_storage("s3://no-such-bucket").read):
        with pytest.raises(NotFound, match="s3://"):
            use("key")


class FailingServer:
    """Answers each request with the next of `answers`: a status, and a body of which as much is sent as `sent_bytes` says."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes, int]] = []
        answers = self.answers

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body, sent_bytes = answers.pop(0)
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


@pytest.fixture
def failing(point_s3_at: Callable[[str], None]) -> Iterator[FailingServer]:
    server = FailingServer()
    point_s3_at(server.url)
    yield server
    server.close()


SLOW_DOWN = (503, b"<Error><Code>SlowDown</Code></Error>", 100)


def test_a_body_that_is_cut_short_is_noticed(failing: FailingServer, tmp_path: Path) -> None:
    storage = open_storage("s3://bucket")
    failing.answers += [(200, b"x" * 100, 10)] * 2
    with pytest.raises(Unavailable, match=r"s3://bucket/key: the transfer failed"):
        storage.read("key")
    with pytest.raises(Unavailable, match=r"s3://bucket/key: the transfer failed"):
        storage.download("key", tmp_path / "copy", max_bytes=100)


def test_a_busy_s3_is_asked_again(failing: FailingServer) -> None:
    failing.answers += [SLOW_DOWN, (200, b"at last", 100)]
    assert open_storage("s3://bucket").read("key").data == b"at last"


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (503, "SlowDown", Unavailable),
        (500, "InternalError", Unavailable),
        (403, "AccessDenied", Forbidden),
        (409, "ConditionalRequestConflict", Conflict),
        (400, "InvalidRequest", StorageError),
    ],
)
def test_an_error_response_of_s3_becomes_an_error_class(
    status: int, code: str, error: type[StorageError], failing: FailingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    failing.answers.append((status, f"<Error><Code>{code}</Code></Error>".encode(), 100))
    with pytest.raises(error, match="s3://bucket/key") as raised:
        open_storage("s3://bucket").read("key")
    assert type(raised.value) is error


def test_nobody_at_the_other_end_is_unavailable(point_s3_at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    point_s3_at("http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="Could not connect"):
        open_storage("s3://bucket").read("key")


def test_no_credentials_are_named_as_the_cause(point_s3_at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    point_s3_at("http://127.0.0.1:9")
    with pytest.raises(Forbidden, match="no AWS credentials"):
        open_storage("s3://bucket").read("key")


def test_a_model_is_published_promoted_and_rolled_back(storage: Storage, manager: ModelManager, tmp_path: Path) -> None:
    first = promote_model(storage, tmp_path / "1", "1")
    assert _value(manager) == 1
    second = promote_model(storage, tmp_path / "2", "2")
    assert _value(manager) == 2
    assert ModelStore(storage).versions() == sorted([first, second])
    rollback(storage)
    assert _value(manager) == 1
    assert len(list(storage.list("history/"))) == 2


def test_publishing_the_same_again_changes_nothing(storage: Storage, tmp_path: Path) -> None:
    bundle = seal(tmp_path / "1", "1")
    assert publish(storage, bundle) == publish(storage, bundle)


def test_of_two_who_promote_at_once_one_is_told(storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = (publish_model(storage, tmp_path / content, content) for content in "12")
    write = s3.S3Storage.write

    def raced(self: s3.S3Storage, key: str, data: bytes, **conditions: object) -> str:
        """Somebody else promotes between our look at the pointer and our write."""
        if key == POINTER_KEY:
            monkeypatch.setattr(s3.S3Storage, "write", write)
            promote(storage, theirs)
        return write(self, key, data, **conditions)  # type: ignore[arg-type]

    for _ in ("the first pointer", "a later one"):
        monkeypatch.setattr(s3.S3Storage, "write", raced)
        with pytest.raises(Conflict, match="somebody else moved the pointer at the same time"):
            promote(storage, mine)
        assert json.loads(storage.read(POINTER_KEY).data)["version"] == theirs


def test_a_promoted_version_is_picked_up_without_one_request_failing(
    storage: Storage, manager: ModelManager, tmp_path: Path, refusals: list[str]
) -> None:
    promote_model(storage, tmp_path / "0", "0")
    seen: list[list[float]] = [[], []]
    failures: list[BaseException] = []
    done = threading.Event()

    def keep_predicting(answers: list[float]) -> None:
        try:
            while not done.is_set():
                answers.append(_value(manager))
        except BaseException as error:  # noqa: BLE001 - it shall be seen by the test, not by the thread
            failures.append(error)

    threads = [threading.Thread(target=keep_predicting, args=(answers,)) for answers in seen]
    for thread in threads:
        thread.start()
    for value in (1, 2, 3):
        promote_model(storage, tmp_path / str(value), str(value))
        for _ in range(1000):
            if _value(manager) == value:
                break
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert refusals == []
    assert _value(manager) == 3
    assert all(answers == sorted(answers) and answers for answers in seen), "no thread falls back to an older version"


def _damage_pointer(storage: Storage, version: str) -> None:
    storage.write(POINTER_KEY, b'{"version": ')


def _lose_version(storage: Storage, version: str) -> None:
    storage.write(POINTER_KEY, b'{"version": "20260101-00000000"}')


def _tamper(storage: Storage, version: str) -> None:
    promote(storage, version)
    storage.write(bundle_key(version, "model.keras"), b"3")


def _change_geometry(storage: Storage, version: str) -> None:
    promote(storage, version)
    manifest = json.loads(storage.read(bundle_key(version)).data)
    manifest["frame"]["digest"] = "0" * 64
    storage.write(bundle_key(version), json.dumps(manifest).encode())


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        pytest.param(_damage_pointer, "current.json is not valid", id="damaged pointer"),
        pytest.param(_lose_version, "has no version 20260101-00000000", id="version missing"),
        pytest.param(_tamper, "model.keras is not the file that its manifest describes", id="tampered file"),
        pytest.param(_change_geometry, "wants frames of 200 candles × 150 rows, spec 1, digest 00000000", id="other geometry"),
    ],
)
def test_what_cannot_serve_is_refused_while_the_old_one_goes_on_until_the_pointer_moves_on(
    spoil: Callable[[Storage, str], None], reason: str, storage: Storage, manager: ModelManager, tmp_path: Path, refusals: list[str]
) -> None:
    promote_model(storage, tmp_path / "1", "1")
    assert _value(manager) == 1
    spoil(storage, publish_model(storage, tmp_path / "2", "2"))
    assert _value(manager) == 1
    assert len(refusals) == 1
    assert reason in refusals[0]
    promote_model(storage, tmp_path / "4", "4")
    assert _value(manager) == 4
    assert len(refusals) == 1


def test_an_outage_of_s3_leaves_the_old_model_serving(
    storage: Storage,
    manager: ModelManager,
    moto_url: str,
    point_s3_at: Callable[[str], None],
    tmp_path: Path,
    refusals: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    promote_model(storage, tmp_path / "1", "1")
    assert _value(manager) == 1
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    point_s3_at("http://127.0.0.1:9")
    assert _value(manager) == 1
    assert len(refusals) == 1
    point_s3_at(moto_url)
    promote_model(storage, tmp_path / "2", "2")
    assert _value(manager) == 2


def test_a_model_in_s3_is_found_on_disk_by_the_next_process(storage: Storage, tmp_path: Path, point_s3_at: Callable[[str], None]) -> None:
    version = promote_model(storage, tmp_path / "1", "1")
    for _ in ("the first process", "the next one"):
        manager = ModelManager(storage.uri(), FakeEngine, cache_dir=tmp_path / "cache")
        assert manager.version(version).version == version
        storage.write(bundle_key(version, "model.keras"), b"gone")


def test_a_bare_model_in_s3_serves(storage: Storage, tmp_path: Path) -> None:
    storage.write("mine.keras", b"1")
    manager = ModelManager(storage.uri("mine.keras"), FakeEngine, cache_dir=tmp_path / "cache", refresh_s=0)
    assert _value(manager) == 1
    assert manager.serving().bundle.manifest.name == "mine"
    storage.write("mine.keras", b"2")
    assert _value(manager) == 2


def test_without_a_model_there_is_nothing_to_serve(manager: ModelManager) -> None:
    with pytest.raises(ModelError, match=r"s3://models/.*current.json"):
        manager.serving()


def test_a_place_without_a_version_is_no_model_root(storage: Storage) -> None:
    from coinfarm.models.store import open_model_root

    with pytest.raises(NotFound, match="coinfarm model publish"):
        open_model_root(storage.uri("nothing-here"))
