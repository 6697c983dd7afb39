"""Networks with other inputs and heads, behind the interface of all engines."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from coinfarm.engines.keras import KerasEngine
from coinfarm.errors import ModelError
from coinfarm.models.bundle import Bundle
from coinfarm.models.candidate import Interface, bundle_to_publish
from coinfarm.outputs import OUTPUT_NAMES
from image_render.render import render_frames
from image_render.windows import windows
from tests.support.synthetic_candles import minutes

pytestmark = pytest.mark.tensorflow

FRAMES = render_frames(windows(minutes(202).columns))
RANDOM = np.random.default_rng(1)
KERNEL = (RANDOM.standard_normal((90_000, 3)) / 300).astype(np.float32)
EXPECTED = FRAMES.reshape(len(FRAMES), -1).astype(np.float32) @ KERNEL


def linear(keras: ModuleType, x: Any) -> Any:
    """The three outputs of the same linear network for frames `x`."""
    dense = keras.layers.Dense(3, use_bias=False)
    outputs = dense(keras.layers.Flatten()(x))
    dense.set_weights([KERNEL])
    return outputs


def predicted(model: Any, folder: Path, **interface: Any) -> Any:
    """The predictions of a saved network, in the order of `OUTPUT_NAMES`."""
    model.save(folder / "model.keras")
    (folder / "bundle").mkdir()
    bundle: Bundle = bundle_to_publish(folder / "model.keras", folder / "bundle", interface=Interface(**interface))
    raw = KerasEngine(bundle, max_batch=100).predict(FRAMES)
    return raw[:, [[output.name for output in bundle.manifest.outputs].index(name) for name in OUTPUT_NAMES]]


@pytest.mark.parametrize(
    ("layout", "shape", "undo"),
    [
        (("rows", "candles", "channels"), (150, 200, 3), lambda ops, x: ops.transpose(x, (0, 2, 1, 3))),
        (("channels", "candles", "rows"), (3, 200, 150), lambda ops, x: ops.transpose(x, (0, 2, 3, 1))),
        (("-rows", "candles", "channels"), (150, 200, 3), lambda ops, x: ops.transpose(ops.flip(x, 1), (0, 2, 1, 3))),
        (("candles", "rows", "-channels"), (200, 150, 3), lambda ops, x: ops.flip(x, 3)),
    ],
)
def test_other_layouts(layout: tuple[str, ...], shape: Any, undo: Any, keras: ModuleType, tmp_path: Path) -> None:
    frame = keras.Input(shape)
    found = predicted(keras.Model(frame, linear(keras, undo(keras.ops, frame))), tmp_path, layout=layout)
    np.testing.assert_allclose(found, EXPECTED, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("pixels", "scale", "offset"), [((0, 255), 1 / 255, 0), ((-1, 1), 0.5, 0.5), ((1, 0), -1, 1)])
def test_other_pixels(pixels: Any, scale: float, offset: float, keras: ModuleType, tmp_path: Path) -> None:
    frame = keras.Input((200, 150, 3))
    model = keras.Model(frame, linear(keras, keras.layers.Rescaling(scale, offset)(frame)))
    np.testing.assert_allclose(predicted(model, tmp_path, pixels=pixels), EXPECTED, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["fixed batch", "any size", "dict of heads", "list of heads", "unbuilt sequential"])
def test_networks_that_are_adapted_without_an_option(kind: str, keras: ModuleType, tmp_path: Path) -> None:
    layers = keras.layers
    frame = keras.Input(batch_shape=(8, 200, 150, 3)) if kind == "fixed batch" else keras.Input((200, 150, 3))
    outputs = linear(keras, frame)
    expected = EXPECTED
    if "heads" in kind:
        rise, decline, end = (
            layers.Rescaling(1.0, name=name)(outputs[:, at : at + 1]) for at, name in enumerate(("max_rise", "max_decline", "end"))
        )
        outputs = {"rise": rise, "end": end, "decline": decline} if kind == "dict of heads" else [end, decline, rise]
    model = keras.Model(frame, outputs)
    if kind == "any size":
        frame = keras.Input((None, None, 3))
        model = keras.Model(frame, layers.Dense(3)(layers.GlobalAveragePooling2D()(frame)))
        expected = np.asarray(model(FRAMES.astype(np.float32)))
    if kind == "unbuilt sequential":
        model = keras.Sequential([layers.GlobalAveragePooling2D(), layers.Dense(3)])
        expected = np.asarray(model(FRAMES.astype(np.float32)))
    np.testing.assert_allclose(predicted(model, tmp_path), expected, rtol=1e-4, atol=1e-5)


def test_probabilities_of_classes_become_their_mean_return(keras: ModuleType, tmp_path: Path) -> None:
    frame = keras.Input((200, 150, 3))
    logits = keras.layers.Reshape((3, 2))(keras.layers.Dense(6)(keras.layers.GlobalAveragePooling2D()(frame)))
    model = keras.Model(frame, keras.layers.Softmax()(logits))
    maps = {name: (float(at), float(at + 10)) for at, name in enumerate(OUTPUT_NAMES)}
    probabilities = np.asarray(model(FRAMES.astype(np.float32)))
    expected = (probabilities * np.array([maps[name] for name in OUTPUT_NAMES])).sum(axis=2)
    np.testing.assert_allclose(predicted(model, tmp_path, return_maps=maps), expected, rtol=1e-4)


def test_logits_are_no_probabilities_and_indices_need_their_option(keras: ModuleType, tmp_path: Path) -> None:
    frame = keras.Input((200, 150, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(frame)
    maps = dict.fromkeys(OUTPUT_NAMES, (-1.0, 0.0, 1.0))
    for name, units in (("logits", 9), ("indices", 3)):
        (tmp_path / name).mkdir()
        with pytest.raises(ModelError, match=r"Softmax" if name == "logits" else "--class-index"):
            predicted(keras.Model(frame, keras.layers.Dense(units)(pooled)), tmp_path / name, return_maps=maps)
    outputs = keras.layers.Dense(3)(pooled)
    expected = np.asarray(keras.Model(frame, outputs)(FRAMES.astype(np.float32)))
    (tmp_path / "given").mkdir()
    found = predicted(keras.Model(frame, outputs), tmp_path / "given", return_maps=maps, is_class_index=True)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)  # the returns are looked up after the engine


@pytest.mark.parametrize(
    ("shape", "units", "words"),
    [
        ((150, 200, 3), 3, "--layout rows,candles,channels.*Permute"),
        ((3, 200, 150), 3, "--layout channels,candles,rows.*Permute"),
        ((100, 100, 3), 3, "100, 100, 3"),
        ((200, 150, 3), 1, "--member"),
        ((200, 150, 3), 15, "--return-map"),
    ],
)
def test_what_does_not_fit_is_an_error_with_the_option_that_would(
    shape: Any, units: int, words: str, keras: ModuleType, tmp_path: Path
) -> None:
    frame = keras.Input(shape)
    with pytest.raises(ModelError, match=words):
        predicted(keras.Model(frame, keras.layers.Dense(units)(keras.layers.GlobalAveragePooling2D()(frame))), tmp_path)


def test_a_network_without_weights_is_an_error(keras: ModuleType, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="built"), pytest.raises(ModelError, match="before it had weights"):
        predicted(keras.Sequential([keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3)]), tmp_path)
