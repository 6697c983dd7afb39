from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from coinfarm.compilation import attempts
from coinfarm.compilation.attempts import Attempt, try_forms
from coinfarm.compilation.sample import Sample
from coinfarm.engines.engine import Engine
from coinfarm.engines.keras import KerasEngine
from coinfarm.models.bundle import Bundle
from image_render.render import render_frames
from image_render.windows import windows
from tests.support.compiled_models import channel_means_graph
from tests.support.synthetic_candles import minutes

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def sample() -> Sample:
    frames = render_frames(windows(minutes(12_000).columns, stride=200))
    return Sample(frames[::3], frames, ("DEMOUSD",))


@pytest.fixture(autouse=True)
def _without_int8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "recipes", lambda graph: ())


def tried(model: Any, folder: Path, sample: Sample) -> dict[str, tuple[Attempt, Engine | None]]:
    """The attempts by name."""
    model.save(folder / "model.keras")
    bundle = Bundle.create(folder, name="small")
    keras = KerasEngine(bundle, 100)
    found = try_forms(bundle, keras.traced, keras.predict(sample.parity), sample, lambda _: None)
    return {attempt.form.name: (attempt, engine) for attempt, engine in found}


def test_a_network_that_needs_them_has_32_bit_weights(keras: ModuleType, sample: Sample, tmp_path: Path) -> None:
    """An output of small differences between large weights."""
    frame = keras.Input((200, 150, 3))
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(50)(frame))
    model = keras.Model(frame, keras.layers.Dense(3)(x))
    random = np.random.default_rng(1)
    kernel = random.normal(size=(36, 3))
    means = np.asarray(keras.Model(frame, x)(sample.parity.astype(np.float32)))
    large = np.linalg.svd(means - means.mean(axis=0))[2][-1]  # in this direction the frames hardly differ
    model.set_weights([kernel + 3e5 * large[:, None], np.zeros(3)])
    attempt, engine = tried(model, tmp_path, sample)["f32"]
    assert engine is not None
    assert attempt.rejection is None
    assert (tmp_path / attempt.form.file).with_suffix(".bin").stat().st_size >= 4 * kernel.size


def test_an_unsupported_layer_is_named(keras: ModuleType, sample: Sample, tmp_path: Path) -> None:
    frame = keras.Input((200, 150, 3))
    x = keras.layers.Resizing(10, 10, interpolation="bicubic")(frame)
    found = tried(keras.Model(frame, keras.layers.Dense(3)(keras.layers.Flatten()(x))), tmp_path, sample)
    ((attempt, engine),) = found.values()
    assert engine is None
    assert "ResizeBicubic" in (attempt.rejection or "")


def test_a_form_that_overflows_is_rejected(keras: ModuleType, sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = keras.Input((200, 150, 3))
    model = keras.Model(frame, keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(frame)))

    class Overflowing:
        def predict(self, frames: Any) -> Any:
            return np.full((len(frames), 3), np.nan, np.float32)

    monkeypatch.setattr(attempts, "openvino_engine", lambda *_: Overflowing())
    found = tried(model, tmp_path, sample)
    assert {name: (attempt.parity, engine) for name, (attempt, engine) in found.items()} == {"f32": (None, None)}


def test_a_graph_that_predicts_otherwise_is_rejected_at_once(
    keras: ModuleType, sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "convert_model", lambda traced: channel_means_graph())
    frame = keras.Input((200, 150, 3))
    x = keras.layers.GlobalMaxPooling2D()(keras.layers.AveragePooling2D(50)(frame))
    found = tried(keras.Model(frame, keras.layers.Dense(3)(x)), tmp_path, sample)
    ((attempt, engine),) = found.values()
    assert engine is None
    assert attempt.parity is not None
