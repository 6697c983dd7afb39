"""A bundle's folder in S3 as a model."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from coinfarm.cli import main
from coinfarm.errors import NotFound
from coinfarm.models.model_source import current_version
from coinfarm.models.store import open_model_source
from coinfarm.serving.settings import reference_model_uri
from tests.support.fake_models import create_bundle
from tests.support.repository import ROOT

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.enable_socket

CANDLES = str(ROOT / "examples/DEMOUSD-1m.parquet")


def upload(s3: "S3Client", folder: Path, prefix: str) -> str:
    for path in folder.rglob("*"):
        if path.is_file():
            s3.upload_file(str(path), "models", f"{prefix}/{path.relative_to(folder).as_posix()}")
    return f"s3://models/{prefix}/"


def test_is_served_like_the_local_folder(s3: "S3Client", tmp_path: Path) -> None:
    bundle = create_bundle(tmp_path / "bundle")
    uri = upload(s3, tmp_path / "bundle", "one")
    source = open_model_source(uri)
    current = source.current_if_changed(None)
    assert current is not None
    assert current.version == bundle.manifest.version
    assert source.current_if_changed(current.etag) is None
    (tmp_path / "fetched").mkdir()
    assert open_model_source(uri).fetch(current.version, tmp_path / "fetched").manifest == bundle.manifest
    with pytest.raises(NotFound, match="20200101-00000000"):
        open_model_source(uri).manifest("20200101-00000000")


def test_a_replaced_bundle_is_another_version(s3: "S3Client", tmp_path: Path) -> None:
    create_bundle(tmp_path / "first", "1.0")
    source = open_model_source(upload(s3, tmp_path / "first", "replaced"))
    first = current_version(source)
    second = create_bundle(tmp_path / "second", "2.0").manifest.version
    upload(s3, tmp_path / "second", "replaced")
    assert current_version(source) == second != first


def test_commands_take_a_published_version(s3: "S3Client", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "cache"))
    root = Path(reference_model_uri())
    (version,) = (root / "versions").iterdir()
    uri = upload(s3, version, f"cnn/versions/{version.name}")
    arguments = ["predict", CANDLES, "--stride", "1000", "--csv"]
    expected = CliRunner().invoke(main, arguments)
    found = CliRunner().invoke(main, [*arguments, "--model", uri])
    assert found.exit_code == 0, found.output
    assert found.stdout == expected.stdout
    recorded = CliRunner().invoke(
        main, ["evaluate", "--candles", CANDLES, "--from", "2026-01-01", "--to", "2026-01-04", "--record", "--model", uri]
    )
    assert (recorded.exit_code, "model publish" in recorded.stderr) == (2, True)
