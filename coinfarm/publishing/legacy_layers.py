"""Single layers as Keras 2 wrote them, in the form that Keras 3 reads."""

from typing import Any

from coinfarm.errors import CoinfarmError
from coinfarm.publishing.legacy_operations import FUNCTION_KINDS, translated
from coinfarm.publishing.legacy_references import renewed_call

NETWORKS = ("Functional", "Model", "Sequential")
"""The classes of layers that are networks."""
LAYER_KEYS = ("layers", "cells", "layer", "backward_layer", "cell")
"""Where a configuration has layers: those of a network, and those that a layer is made of."""
_RECURRENT = ("RNN", "SimpleRNN", "LSTM", "GRU", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
_SEPARABLE = ("SeparableConv1D", "SeparableConv2D")
_SPECIAL_CONVOLUTIONS = (
    *("DepthwiseConv1D", "DepthwiseConv2D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"),
    *_SEPARABLE,
)
_DROPPED: dict[str, tuple[str, ...]] = {
    "time_major": _RECURRENT,
    "groups": _SPECIAL_CONVOLUTIONS,
    **dict.fromkeys(("kernel_initializer", "kernel_regularizer", "kernel_constraint"), _SEPARABLE),
    **dict.fromkeys(("query_shape", "key_shape", "value_shape"), ("MultiHeadAttention",)),
    **dict.fromkeys(("trainable", "noise_shape"), ("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D")),
}
"""What Keras 3 does not take any more, and of which layers."""
_NEUTRAL = {"time_major": False, "groups": 1}
"""The only values of these that Keras 3 can do without."""


def layers_with_input(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The layers of a Sequential, whose first one may say the shape of its input in the place of an InputLayer."""
    shape = layers[0]["config"].get("batch_input_shape") if layers else None
    if shape is None or layers[0]["class_name"] == "InputLayer":
        return layers
    config = {"batch_input_shape": shape, "dtype": "float32", "name": f"{layers[0]['config']['name']}_input"}
    return [{"class_name": "InputLayer", "config": config}, *layers]


def renewed_layer(layer: dict[str, Any]) -> dict[str, Any]:
    """The layer for Keras 3. Raises `CoinfarmError` if it has none that does the same."""
    kind, config = layer["class_name"], layer["config"]
    if kind in FUNCTION_KINDS:
        return translated(layer)
    further = "initial_state" if kind in (*_RECURRENT, "Bidirectional") else None
    layer = {**layer, "inbound_nodes": [renewed_call(node, further) for node in layer.get("inbound_nodes", [])]}
    if kind in NETWORKS:
        return {**layer, "module": "keras" if kind == "Sequential" else "keras.src.models.functional", "registered_name": kind}
    for name, value in config.items():
        if kind in _DROPPED.get(name, ()) and value != _NEUTRAL.get(name, value):
            raise CoinfarmError(f"its layer {config.get('name')} has {name}={value}, which Keras 3 does not have")
    config = {name: value for name, value in config.items() if kind not in _DROPPED.get(name, ())}
    if kind != "InputLayer":
        config.pop("batch_input_shape", None)
    if isinstance(policy := config.get("dtype"), dict) and policy["class_name"] in ("Policy", "PolicyV1"):
        config["dtype"] = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": policy["config"]["name"]}}
    if kind == "BatchNormalization" and isinstance(axes := config.get("axis"), list):
        config["axis"] = axes[0]
    if kind in ("MultiHeadAttention", *_RECURRENT):
        layer.pop("build_config", None)  # Keras 2 kept the shapes of its inputs in other ways
    return {"module": "keras.layers", "registered_name": None, **layer, "config": config}
