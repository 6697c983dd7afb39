"""The activation hard_sigmoid of Keras 2, clip(0.2 x + 0.5), which is clip(x / 6 + 0.5) in Keras 3: that of 1.2 x is the same."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from coinfarm.errors import CoinfarmError

_FACTOR = 1.2
_CANDIDATE_GATE = 2
"""Of LSTM and GRU: the gate that has the other activation."""


def rescale_hard_sigmoids(network: Any) -> None:
    """Multiply the weights before each hard_sigmoid of a network of Keras 2. Raises `CoinfarmError` for one without weights."""
    for layer in _layers(network):
        if _is_hard(layer, "activation"):
            if not hasattr(layer, "kernel") or hasattr(layer, "recurrent_kernel"):
                raise CoinfarmError(
                    f"its layer {layer.name} has the activation hard_sigmoid, which is another function in Keras 3: in its place, "
                    "write keras.ops.clip(0.2 * x + 0.5, 0, 1)"
                )
            layer.set_weights([weights * _FACTOR for weights in layer.get_weights()])
        elif _is_hard(layer, "recurrent_activation") and hasattr(layer, "recurrent_kernel"):
            layer.set_weights([weights * _gate_factors(layer) for weights in layer.get_weights()])


def _layers(network: Any) -> Iterator[Any]:
    """All layers, with the cells of recurrent ones, each once."""
    return (layer for layer in network._flatten_layers() if not hasattr(layer, "cell"))


def _is_hard(layer: Any, attribute: str) -> bool:
    return getattr(getattr(layer, attribute, None), "__name__", "") == "hard_sigmoid"


def _gate_factors(cell: Any) -> Any:
    units, columns = cell.recurrent_kernel.shape[-2:]
    factors = np.full(columns, _FACTOR)
    factors[_CANDIDATE_GATE * units : (_CANDIDATE_GATE + 1) * units] = 1
    return factors
