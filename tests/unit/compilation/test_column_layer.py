"""Which first layers become look-ups, whatever Keras layers they are made of."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from coinfarm.compilation.column_layer import split_columns
from coinfarm.compilation.converter import convert_model
from coinfarm.compilation.lowering import lower
from coinfarm.engines import keras as keras_engine
from coinfarm.engines.column_probe import random_rows
from coinfarm.engines.openvino_import import import_openvino
from image_render.render import as_planes, render_frames
from image_render.rows import planes_of_rows
from image_render.windows import Columns, windows
from tests.support.synthetic_candles import minutes

pytestmark = pytest.mark.tensorflow

Build = Callable[[Any, Any], Any]
"""Layers, and a frame, to the first features."""

VIEW = windows(minutes(300).columns, stride=20)
FLAT = Columns(*(np.full((1, 200), 100.0) for _ in Columns._fields))
FRAMES = render_frames(Columns(*(np.concatenate(columns) for columns in zip(VIEW, FLAT, strict=True))))


@pytest.fixture(scope="module")
def graph_of(keras: ModuleType) -> Callable[..., Any]:
    """The lowered graph of networks with these first layers; all weights are random."""

    def network(build: Build, seed: int) -> Any:
        frame = keras.Input((200, 150, 3))
        x = keras.layers.GlobalAveragePooling1D()(keras.layers.Reshape((-1, 4))(build(keras.layers, frame)))
        model = keras.Model(frame, keras.layers.Dense(3)(x))
        random = np.random.default_rng(seed)
        model.set_weights([random.uniform(0.1, 0.5, weights.shape) for weights in model.get_weights()])
        return model

    def build_graph(*builds: Build) -> Any:
        networks = [network(build, seed) for seed, build in enumerate(builds)]
        return lower(convert_model(keras_engine._trace(networks).get_concrete_function()))

    return build_graph


def columns(layers: Any, frame: Any) -> Any:
    return layers.Reshape((200, 450))(frame)


def run(graph: Any, inputs: np.ndarray) -> Any:
    compiled = import_openvino().Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled(np.ascontiguousarray(inputs))[0]


def separable(layers: Any, frame: Any) -> Any:
    return layers.ReLU()(layers.SeparableConv1D(4, 3, padding="same")(columns(layers, frame)))


def normalised(layers: Any, frame: Any) -> Any:
    x = layers.BatchNormalization()(layers.Rescaling(2.0, offset=-1.0)(frame))
    return layers.ReLU()(layers.Conv1D(4, 3, padding="same")(columns(layers, x)))


def with_batch_normalisation(layers: Any, frame: Any) -> Any:
    return layers.ReLU()(layers.BatchNormalization()(layers.Conv1D(4, 1, use_bias=False)(columns(layers, frame))))


def permuted(layers: Any, frame: Any) -> Any:
    return layers.ReLU()(layers.Conv1D(4, 1)(layers.Reshape((200, 450))(layers.Permute((1, 3, 2))(frame))))


def recurrent(layers: Any, frame: Any) -> Any:
    """Its initial state has the batch size of the frames."""
    return layers.GRU(4)(layers.Conv1D(4, 1, activation="relu")(columns(layers, frame)))


def one_row_high(layers: Any, frame: Any) -> Any:
    return layers.ReLU()(layers.Conv2D(4, (1, 450))(layers.Reshape((200, 450, 1))(frame)))


@pytest.mark.parametrize(
    ("build", "offsets", "stride"),
    [
        pytest.param(lambda k, x: k.Dense(4, activation="relu")(columns(k, x)), [0], 1, id="dense"),
        pytest.param(lambda k, x: k.Conv1D(4, 1, activation="gelu")(columns(k, x)), [0], 1, id="kernel of 1"),
        pytest.param(lambda k, x: k.Conv1D(4, 3, padding="same", activation="relu")(columns(k, x)), [-1, 0, 1], 1, id="kernel of 3"),
        pytest.param(lambda k, x: k.Conv1D(4, 5, 2, padding="same", activation="relu")(columns(k, x)), [-1, 0, 1, 2, 3], 2, id="stride"),
        pytest.param(
            lambda k, x: k.Conv1D(4, 3, dilation_rate=4, padding="causal", activation="relu")(columns(k, x)), [-8, -4, 0], 1, id="TCN"
        ),
        pytest.param(lambda k, x: k.Conv2D(4, (1, 150), activation="relu")(x), [0], 1, id="column of an image"),
        pytest.param(lambda k, x: k.Conv2D(4, (3, 150), activation="relu")(x), [0, 1, 2], 1, id="three columns of an image"),
        pytest.param(with_batch_normalisation, [0], 1, id="batch normalisation behind"),
        pytest.param(normalised, [-1, 0, 1], 1, id="rescaling and batch normalisation in front"),
        pytest.param(separable, [-1, 0, 1], 1, id="separable"),
        pytest.param(permuted, [0], 1, id="permuted"),
        pytest.param(one_row_high, [0], 1, id="column as a row of an image"),
        pytest.param(recurrent, [0], 1, id="before a recurrent layer"),
    ],
)
def test_recognises_linear_layers(build: Build, offsets: list[int], stride: int, graph_of: Callable[..., Any]) -> None:
    graph = graph_of(build)
    split = split_columns(graph, FRAMES)
    assert split is not None
    assert (split.tables.offsets.tolist(), split.tables.stride) == (offsets, stride)
    rows = random_rows(10)
    np.testing.assert_allclose(run(split.rest, split.tables.look_up(rows)), run(graph, planes_of_rows(rows)), rtol=1e-4)
    np.testing.assert_allclose(run(split.rest, split.tables.multiply(FRAMES)), run(graph, as_planes(FRAMES)), rtol=1e-4)


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda k, x: k.Conv2D(4, 3, padding="same", activation="relu")(x), id="kernel over three rows"),
        pytest.param(lambda k, x: k.Conv2D(4, (5, 5), (2, 3), padding="same", activation="relu")(x), id="too many features"),
        pytest.param(lambda k, x: k.Conv1D(4, 1)(columns(k, k.MaxPooling2D(2, 1, padding="same")(x))), id="pooling before"),
        pytest.param(lambda k, x: k.Conv1D(4, 1)(columns(k, k.Activation("tanh")(x))), id="activation before"),
        pytest.param(lambda k, x: k.Conv1D(4, 1)(k.LayerNormalization()(columns(k, x))), id="layer normalisation before"),
        pytest.param(lambda k, x: k.Dense(8, activation="relu")(k.Flatten()(k.AveragePooling2D(5)(x))), id="all candles at once"),
        pytest.param(lambda k, x: k.Conv1D(4, 20, activation="relu")(columns(k, x)), id="kernel over 20 candles"),
        pytest.param(lambda k, x: k.Dense(4)(k.Permute((2, 1))(k.Reshape((200, 450))(x))), id="candles as features"),
    ],
)
def test_refuses_other_layers(build: Build, graph_of: Callable[..., Any]) -> None:
    assert split_columns(graph_of(build), FRAMES) is None


def test_refuses_weights_that_differ_by_position(graph_of: Callable[..., Any]) -> None:
    """The response is the same shape at every position, but not the same."""
    graph = graph_of(lambda k, x: k.ReLU()(k.BatchNormalization(axis=1)(k.Conv1D(4, 1)(columns(k, x)))))
    assert split_columns(graph, FRAMES) is None


def test_refuses_several_networks_in_one_bundle(graph_of: Callable[..., Any]) -> None:
    def build(layers: Any, frame: Any) -> Any:
        return layers.Dense(4, activation="relu")(columns(layers, frame))

    assert split_columns(graph_of(build, build), FRAMES) is None
