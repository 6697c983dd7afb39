from pathlib import Path

import pytest

from coinfarm.errors import ModelError
from coinfarm.models.candidate import bundle_to_publish
from coinfarm.models.model_file import BUNDLE, KERAS_ARCHIVE, check_is_keras_archive, kind_of
from tests.support.fake_models import create_bundle
from tests.support.model_file_page import page_with_files
from tests.support.model_files import MODEL_FILES, ModelFile
from tests.support.model_page import PAGE


@pytest.mark.parametrize("entry", MODEL_FILES, ids=lambda entry: entry.name)
def test_recognises_files_by_their_content_and_says_what_to_do(entry: ModelFile, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "created").mkdir()
    path = entry.build(tmp_path / "source")
    if not entry.words:
        assert kind_of(path) == KERAS_ARCHIVE
        assert bundle_to_publish(path, tmp_path / "created").manifest.members[0].file == "model.keras"
        return
    with pytest.raises(ModelError) as raised:
        bundle_to_publish(path, tmp_path / "created")
    message = str(raised.value)
    assert message.startswith(str(path))
    assert [word for word in entry.words if word not in message] == []
    assert "\n" not in message
    assert list((tmp_path / "created").iterdir()) == []


def test_a_bundle_is_recognised_and_a_missing_file_is_an_error(tmp_path: Path) -> None:
    assert kind_of(create_bundle(tmp_path / "bundle").folder) == BUNDLE
    with pytest.raises(ModelError, match=r"missing\.keras"):
        kind_of(tmp_path / "missing.keras")


def test_an_error_names_the_place_that_people_know(tmp_path: Path) -> None:
    (tmp_path / "cached").write_bytes(b"")
    with pytest.raises(ModelError, match=r"^s3://bucket/mine\.keras is empty"):
        check_is_keras_archive(tmp_path / "cached", "s3://bucket/mine.keras")


def test_the_page_says_what_publishing_a_file_says() -> None:
    page = PAGE.read_text()
    assert page_with_files(page) == page, "run python -m tests.support.model_file_page"
