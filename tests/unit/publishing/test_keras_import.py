"""Models that Keras 2.15 saved: tests/support/keras2 has a nested network with batch normalisation in three formats."""

import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from coinfarm.errors import CoinfarmError, ModelError
from coinfarm.publishing.conversion import convert
from coinfarm.publishing.keras_import import NotConvertible, import_model
from tests.support.keras_archives import write_keras_archive
from tests.support.repository import ROOT

pytestmark = pytest.mark.tensorflow

FOLDER = ROOT / "tests/support/keras2"
FRAMES = np.random.RandomState(0).randint(0, 2, (2, 200, 150, 3)).astype(np.float32)
PREDICTED_BY_KERAS_2 = [[36.355049, 29.064892, 28.249573], [36.302983, 29.02948, 28.221092]]


@pytest.fixture
def saved_model(tmp_path: Path) -> Path:
    shutil.unpack_archive(FOLDER / "keras2_saved.zip", tmp_path / "saved")
    return tmp_path / "saved"


@pytest.mark.parametrize("name", ["keras2.h5", "keras2.keras", "saved"])
def test_converted_networks_predict_the_same(name: str, keras: ModuleType, saved_model: Path, tmp_path: Path) -> None:
    convert(saved_model if name == "saved" else FOLDER / name, tmp_path / "converted.keras")
    network = keras.saving.load_model(tmp_path / "converted.keras", safe_mode=True)
    np.testing.assert_allclose(np.asarray(network(FRAMES, training=False)), PREDICTED_BY_KERAS_2, rtol=1e-5)


def test_what_would_need_code_is_not_converted(keras: ModuleType, saved_model: Path, tmp_path: Path) -> None:
    frame = keras.Input((200, 150, 3))
    with_lambda = keras.Model(frame, keras.layers.Lambda(lambda x: x, name="mine")(keras.layers.GlobalAveragePooling2D()(frame)))
    with_lambda.save(tmp_path / "lambda.keras")
    with pytest.raises(CoinfarmError, match="Lambda layer mine"):
        convert(tmp_path / "lambda.keras", tmp_path / "x.keras")
    with pytest.raises(CoinfarmError, match="TFOpLambda"):
        convert(FOLDER / "keras2_function.h5", tmp_path / "x.keras")
    (saved_model / "keras_metadata.pb").unlink()
    with pytest.raises(CoinfarmError, match=r"keras_metadata\.pb"):
        convert(saved_model, tmp_path / "x.keras")
    assert not (tmp_path / "x.keras").exists()


def test_imports_in_a_process_of_its_own_or_says_what_to_run(tmp_path: Path) -> None:
    import_model(FOLDER / "keras2.h5", tmp_path / "new.keras")
    assert (tmp_path / "new.keras").stat().st_size > 10_000
    with pytest.raises(NotConvertible) as raised:
        import_model(FOLDER / "keras2_function.h5", tmp_path / "other.keras")
    first, second = str(raised.value).splitlines()[1:]
    assert (first.strip(), second.strip()) == (
        f"model.load_weights('{FOLDER}/keras2_function.h5')",
        f"model.save('{tmp_path}/other.keras')",
    )
    assert not (tmp_path / "other.keras").exists()


def test_a_damaged_archive_is_not_convertible_and_other_files_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(NotConvertible):
        import_model(write_keras_archive(tmp_path / "a.keras"), tmp_path / "new.keras")
    (tmp_path / "model.onnx").write_bytes(b"\x08\x08\x12\x07pytorch")
    with pytest.raises(ModelError, match="ONNX"):
        import_model(tmp_path / "model.onnx", tmp_path / "new.keras")
