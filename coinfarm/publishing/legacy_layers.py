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


def renewed_layer(layer: dict[str, Any]) -> dict[str, Any]:
    """The layer for Keras 3. Raises `CoinfarmError` if it has none that does the same."""
    kind, config = layer["class_name"], layer["config"]
    if kind in FUNCTION_KINDS:
        return translated(layer)
    layer = {**layer, "inbound_nodes": [renewed_call(node) for node in layer.get("inbound_nodes", [])]}
    if kind in NETWORKS or not isinstance(config, dict):
        return layer
    for name, value in config.items():
        if kind in _DROPPED.get(name, ()) and value != _NEUTRAL.get(name, value):
            raise CoinfarmError(f"its layer {config.get('name')} has {name}={value}, which Keras 3 does not have")
    config = {name: value for name, value in config.items() if kind not in _DROPPED.get(name, ())}
    if isinstance(policy := config.get("dtype"), dict) and policy["class_name"] in ("Policy", "PolicyV1"):
        config["dtype"] = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": policy["config"]["name"]}}
    if kind == "BatchNormalization" and isinstance(axes := config.get("axis"), list):
        config["axis"] = axes[0]
    if kind == "MultiHeadAttention":
        layer.pop("build_config", None)  # Keras 2 kept the shape of one of its inputs
    return {"module": "keras.layers", "registered_name": None, **layer, "config": config}
