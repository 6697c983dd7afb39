"""Models in older formats."""

from pathlib import Path
from types import ModuleType

import pytest

from coinfarm.errors import CoinfarmError, ModelError
from coinfarm.publishing.conversion import convert
from coinfarm.publishing.keras_import import NotConvertible, import_model
from tests.support.keras_archives import write_keras_archive
from tests.support.old_model_files import KERAS_2, OLD_MODEL_FILES, OldModelFile, conversion_outcome, edited_h5, saved_model_of_keras_2

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize("entry", OLD_MODEL_FILES, ids=lambda entry: entry.name)
def test_converted_networks_predict_the_same(entry: OldModelFile, keras: ModuleType, tmp_path: Path) -> None:
    assert (conversion_outcome(keras, entry, tmp_path) is None) == entry.is_converted


def test_what_would_need_code_is_not_converted(keras: ModuleType, tmp_path: Path) -> None:
    frame = keras.Input((200, 150, 3))
    with_lambda = keras.Model(frame, keras.layers.Lambda(lambda x: x, name="mine")(keras.layers.GlobalAveragePooling2D()(frame)))
    with_lambda.save(tmp_path / "lambda.keras")
    with pytest.raises(CoinfarmError, match="layer mine"):
        convert(tmp_path / "lambda.keras", tmp_path / "x.keras")
    with pytest.raises(CoinfarmError, match="step sum"):
        convert(
            edited_h5(tmp_path, '"TFOpLambda", "config": {"name": "tf.math.multiply"', '"TensorFlowOpLayer", "config": {"name": "sum"'),
            tmp_path / "x.keras",
        )
    saved_model = saved_model_of_keras_2(tmp_path)
    (saved_model / "keras_metadata.pb").unlink()
    with pytest.raises(CoinfarmError, match=r"keras_metadata\.pb"):
        convert(saved_model, tmp_path / "x.keras")
    assert not (tmp_path / "x.keras").exists()


@pytest.mark.usefixtures("keras")
def test_weights_of_other_layers_are_not_copied(tmp_path: Path) -> None:
    with pytest.raises(CoinfarmError, match="dense_9"):
        convert(edited_h5(tmp_path, "dense_1", "dense_9"), tmp_path / "x.keras")


def test_imports_in_a_process_of_its_own_or_says_what_to_run(tmp_path: Path) -> None:
    import_model(KERAS_2 / "keras2_function.h5", tmp_path / "new.keras")
    assert (tmp_path / "new.keras").stat().st_size > 10_000
    other = edited_h5(tmp_path, "math.multiply", "image.adjust_hue")
    with pytest.raises(NotConvertible, match=r"tf\.image\.adjust_hue") as raised:
        import_model(other, tmp_path / "other.keras")
    first, second = str(raised.value).splitlines()[1:]
    assert (first.strip(), second.strip()) == (
        f"model.load_weights('{other}')",
        f"model.save('{tmp_path}/other.keras')",
    )
    assert not (tmp_path / "other.keras").exists()


def test_a_damaged_archive_is_not_convertible_and_other_files_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(NotConvertible):
        import_model(write_keras_archive(tmp_path / "a.keras"), tmp_path / "new.keras")
    (tmp_path / "model.onnx").write_bytes(b"\x08\x08\x12\x07pytorch")
    with pytest.raises(ModelError, match="ONNX"):
        import_model(tmp_path / "model.onnx", tmp_path / "new.keras")
