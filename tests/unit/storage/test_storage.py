"""Roots and URIs: which storage they name, and what leads out of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from coinfarm.errors import Forbidden, StorageError
from coinfarm.storage import local_folder, open_folder_of, open_inside, open_storage, resolve
from coinfarm.storage.folder import FolderStorage
from coinfarm.storage.s3 import S3Storage


@pytest.mark.parametrize(
    ("root", "uri"),
    [
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/a/b/", "s3://bucket/a/b"),
        ("s3://bucket/X/", "s3://bucket/X"),
        ("/data/a%20b", "/data/a%20b"),
        ("file:///data/a%20b", "/data/a b"),
        ("file://localhost/data", "/data"),
    ],
)
def test_a_root_names_a_storage(root: str, uri: str) -> None:
    storage = open_storage(root)
    assert isinstance(storage, S3Storage if root.startswith("s3") else FolderStorage)
    assert storage.uri() == uri
    assert storage.uri("c/d") == f"{uri}/c/d"
    assert local_folder(root) == (None if root.startswith("s3") else Path(uri))


@pytest.mark.parametrize(
    "root",
    [
        "https://example.org/x",
        "file://server/share",
        "file://[",
        "s3://",
        "s3:///prefix",
        "s3:/typo",
        "S3://x",
        "s3:typo",
        "file:/x",
        "s3://a_b!",
    ],
)
def test_rejects_a_root_that_is_neither_s3_nor_a_folder(root: str) -> None:
    with pytest.raises(StorageError) as raised:
        open_storage(root)
    assert root in str(raised.value)


@pytest.mark.parametrize(
    ("uri", "root", "key"),
    [
        ("a/b.json", "s3://bucket/prefix", "a/b.json"),
        ("s3://bucket/prefix/a/b.json", "s3://bucket/prefix/", "a/b.json"),
        ("s3://bucket/a", "s3://bucket", "a"),
        ("a/b.json", "/data/candles", "a/b.json"),
        ("/data/candles/a", "/data/candles", "a"),
        ("file:///data/candles/a%20b", "file:///data/candles", "a b"),
        ("/a", "/", "a"),
        ("/data/X/a", "/data/X", "a"),
    ],
)
def test_a_uri_inside_the_root_resolves_to_its_key(uri: str, root: str, key: str) -> None:
    storage, found = resolve(uri, root)
    assert found == key
    assert storage.uri() == open_storage(root).uri()
    assert open_inside(uri, root).uri() == open_inside(f"{uri}/", root).uri() == storage.uri(key)


@pytest.mark.parametrize(
    ("uri", "root"), [("s3://bucket/a/", "s3://bucket/a"), ("s3://bucket/a", "s3://bucket/a/"), ("/a", "/a/"), ("/X", "/X"), ("/", "/")]
)
def test_the_root_itself_can_be_opened_but_has_no_key(uri: str, root: str) -> None:
    assert open_inside(uri, root).uri() == open_storage(root).uri()
    with pytest.raises(Forbidden):
        resolve(uri, root)


@pytest.mark.parametrize(
    ("uri", "root"),
    [
        pytest.param("s3://bucket/other/a", "s3://bucket/prefix", id="other prefix"),
        pytest.param("s3://bucket/prefix2/a", "s3://bucket/prefix", id="prefix of the name only"),
        pytest.param("s3://bucket2/prefix/a", "s3://bucket/prefix", id="other bucket"),
        pytest.param("s3://bucket/prefix/../other", "s3://bucket/prefix", id="up and out"),
        pytest.param("/data/candles", "s3://bucket/prefix", id="folder for S3"),
        pytest.param("s3://bucket/a", "/data", id="S3 for a folder"),
        pytest.param("https://example.org/a", "/data", id="another kind of URI"),
        pytest.param("file://server/data/a", "/data", id="another machine"),
        pytest.param("/data/candles2/a", "/data/candles", id="other folder"),
        pytest.param("/data/candles/../x", "/data/candles", id="up and out of a folder"),
        pytest.param("file:///data/%2e%2e/x", "/data", id="up and out, disguised"),
        pytest.param("../x", "/data", id="relative, up"),
    ],
)
def test_a_uri_outside_the_root_is_forbidden(uri: str, root: str) -> None:
    for use in (resolve, open_inside):
        with pytest.raises(Forbidden) as raised:
            use(uri, root)
        assert uri in str(raised.value) or ".." in str(raised.value)


def test_a_local_folder_is_used_without_loading_boto3() -> None:
    script = "import sys; from coinfarm.storage import open_storage; open_storage('.'); sys.exit('boto3' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(
    ("uri", "folder"), [("candles.csv", "."), ("/candles.csv", "/"), ("data/candles.csv", "data"), ("s3://bucket/data/candles.csv", None)]
)
def test_opens_the_folder_of_a_file(uri: str, folder: str | None) -> None:
    storage, key = open_folder_of(uri)
    assert (storage.uri(), key) == (open_storage(folder or "s3://bucket/data").uri(), "candles.csv")
