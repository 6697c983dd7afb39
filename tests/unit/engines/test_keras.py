import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from coinfarm.engines.keras import KerasEngine
from coinfarm.errors import ModelError
from coinfarm.models.bundle import Bundle
from coinfarm.outputs import OUTPUT_NAMES
from image_render.render import render_frames
from image_render.windows import windows
from tests.support.fake_models import members_bundle
from tests.support.synthetic_candles import minutes

pytestmark = pytest.mark.tensorflow

FRAMES = render_frames(windows(minutes(206).columns))
Build = Callable[..., Any]


@pytest.fixture(scope="module")
def network(keras: ModuleType) -> Build:
    """Builds a network over coarse pixels; `heads` are the numbers of outputs of each head."""

    def build(*heads: int, shape: tuple[int, int, int] = (200, 150, 3), seed: int = 1) -> Any:
        keras.utils.set_random_seed(seed)
        frame = keras.Input(shape)
        x = keras.layers.Flatten()(keras.layers.AveragePooling2D(10)(frame))
        outputs = [keras.layers.Dense(units)(x) for units in heads]
        return keras.Model(frame, outputs[0] if len(outputs) == 1 else outputs)

    return build


def keras_predictions(model: Any) -> Any:
    """Keras' own predictions for the frames, `(7, outputs)`."""
    outputs = model(FRAMES.astype(np.float32), training=False)
    return np.concatenate([np.asarray(head) for head in (outputs if isinstance(outputs, list) else [outputs])], axis=1)


@pytest.fixture(scope="module")
def bundle(network: Build, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    path = tmp_path_factory.mktemp("bare") / "model.keras"
    network(3).save(path)
    return Bundle.from_keras_file(path, name="bare")


@pytest.fixture(scope="module")
def engine(bundle: Bundle) -> KerasEngine:
    return KerasEngine(bundle, max_batch=100)


def test_predicts_like_keras(network: Build, engine: KerasEngine) -> None:
    outputs = engine.predict(FRAMES)
    assert (outputs.dtype, outputs.shape) == (np.float32, (7, 3))
    np.testing.assert_allclose(outputs, keras_predictions(network(3)), rtol=1e-5, atol=1e-6)
    assert engine.name == "keras"


def test_accepts_any_memory_layout(engine: KerasEngine) -> None:
    interleaved, every_second = np.ascontiguousarray(FRAMES), FRAMES[::2]
    np.testing.assert_array_equal(engine.predict(interleaved), engine.predict(FRAMES))
    np.testing.assert_allclose(engine.predict(every_second), engine.predict(FRAMES)[::2], rtol=1e-6)


def test_outputs_of_members_have_the_order_of_the_manifest(network: Build, tmp_path: Path) -> None:
    models = {name: network(1, seed=seed) for seed, name in enumerate(OUTPUT_NAMES)}
    order = ("endChangePct", "maxRisePct", "maxDeclinePct")
    bundle = members_bundle(tmp_path, models, order)
    expected = np.concatenate([keras_predictions(models[name]) for name in order], axis=1)
    np.testing.assert_allclose(KerasEngine(bundle, max_batch=100).predict(FRAMES), expected, rtol=1e-5, atol=1e-6)


def test_chunks_have_at_most_max_batch_frames(bundle: Bundle, engine: KerasEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    small, chunks = KerasEngine(bundle, max_batch=3), []
    forward = small._forward
    monkeypatch.setattr(small, "_forward", lambda planes: (chunks.append(planes.shape), forward(planes))[1])
    np.testing.assert_allclose(small.predict(FRAMES), engine.predict(FRAMES), rtol=1e-6)
    assert chunks == [(3, 3, 200, 150), (3, 3, 200, 150), (1, 3, 200, 150)]


def test_all_batch_sizes_share_one_trace(engine: KerasEngine) -> None:
    """A retrace takes longer than a thousand predictions."""
    for count in (1, 2, 7):
        engine.predict(FRAMES[:count])
    assert engine._forward.experimental_get_tracing_count() == 1


def test_rejects_other_backends(keras: ModuleType, bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ModelError, match="jax"):
        KerasEngine(bundle, max_batch=100)


@pytest.mark.parametrize(
    ("heads", "shape", "found"),
    [
        pytest.param((3,), (200, 150, 1), r"\(200, 150, 1\)", id="one channel"),
        pytest.param((2,), (200, 150, 3), "2 outputs", id="two outputs"),
    ],
)
def test_rejects_other_shapes(network: Build, tmp_path: Path, heads: tuple[int, ...], shape: tuple[int, int, int], found: str) -> None:
    network(*heads, shape=shape).save(tmp_path / "model.keras")
    with pytest.raises(ModelError, match=rf"model\.keras .*{found}"):
        KerasEngine(Bundle.create(tmp_path, name="odd"), max_batch=100)


def test_rejects_two_inputs(keras: ModuleType, tmp_path: Path) -> None:
    frames = [keras.Input((200, 150, 3)) for _ in range(2)]
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Add()(frames))
    keras.Model(frames, keras.layers.Dense(3)(x)).save(tmp_path / "model.keras")
    with pytest.raises(ModelError, match=r"model\.keras"):
        KerasEngine(Bundle.create(tmp_path, name="two"), max_batch=100)


def test_rejects_code_in_the_file(keras: ModuleType, tmp_path: Path) -> None:
    frame = keras.Input((200, 150, 3))
    x = keras.layers.Lambda(lambda image: image * 2.0)(frame)
    keras.Model(frame, keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(x))).save(tmp_path / "model.keras")
    with pytest.raises(ModelError, match=r"model\.keras(?s:.*)[Ll]ambda"):
        KerasEngine(Bundle.create(tmp_path, name="lambda"), max_batch=100)


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n" + bytes(100)], ids=["empty", "HDF5"])
def test_rejects_other_files(keras: ModuleType, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.keras").write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.keras of model \d{8}-[0-9a-f]{8}"):
        KerasEngine(Bundle.create(tmp_path, name="broken"), max_batch=100)


@pytest.mark.parametrize("missing", ["config.json", "model.weights.h5"])
def test_rejects_incomplete_archives(bundle: Bundle, tmp_path: Path, missing: str) -> None:
    with zipfile.ZipFile(bundle.folder / "model.keras") as complete, zipfile.ZipFile(tmp_path / "model.keras", "w") as part:
        for name in complete.namelist():
            if name != missing:
                part.writestr(name, complete.read(name))
    with pytest.raises(ModelError, match=r"model\.keras"):
        KerasEngine(Bundle.create(tmp_path, name="part"), max_batch=100)


def test_a_file_of_a_newer_keras_says_so(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "newer.keras"
    with zipfile.ZipFile(bundle.folder / "model.keras") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name).replace(b'"class_name": "Dense"', b'"class_name": "DenserDense"')
            new.writestr(name, b'{"keras_version": "99.1.0"}' if name == "metadata.json" else content)
    with pytest.raises(ModelError, match=r"99\.1\.0"):
        KerasEngine(Bundle.from_keras_file(path, name="newer"), max_batch=1)
