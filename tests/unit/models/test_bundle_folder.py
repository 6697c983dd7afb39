"""A bundle's folder in the place of a model root: what `coinfarm train` left can be used before it is published."""

from pathlib import Path

import pytest

from coinfarm.errors import NotFound
from coinfarm.models.store import BundleFolder, open_model_source
from tests.support.fake_models import seal


def test_its_version_serves(tmp_path: Path) -> None:
    bundle = seal(tmp_path / "bundle")
    source = open_model_source(str(tmp_path / "bundle"))
    assert isinstance(source, BundleFolder)
    current = source.current_if_changed(None)
    assert current is not None
    assert current.version == bundle.manifest.version
    assert source.current_if_changed(current.etag) is None


def test_it_is_fetched_whole(tmp_path: Path) -> None:
    bundle = seal(tmp_path / "bundle")
    (tmp_path / "copy").mkdir()
    copy = open_model_source(str(tmp_path / "bundle")).fetch(bundle.manifest.version, tmp_path / "copy")
    assert copy.manifest == bundle.manifest


def test_another_version_is_not_there(tmp_path: Path) -> None:
    seal(tmp_path / "bundle")
    with pytest.raises(NotFound, match="publish"):
        open_model_source(str(tmp_path / "bundle")).fetch("20200101-00000000", tmp_path)
