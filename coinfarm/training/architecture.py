"""What a network costs: parameters and multiply-adds, layer by layer."""

from math import prod
from typing import TYPE_CHECKING, Any

from coinfarm.models.manifest import LayerSummary

if TYPE_CHECKING:
    import keras


def architecture(model: "keras.Model") -> tuple[LayerSummary, ...]:
    """The layers in order; the multiply-adds are those of one frame, in convolutions and dense layers.

    What is done once per value (normalisation, activation, pooling) is left out, as is usual: it is little, and fused away in serving.
    """
    return tuple(
        LayerSummary(
            name=layer.name,
            kind=type(layer).__name__,
            output_shape=tuple(layer.output.shape[1:]),
            parameters=layer.count_params(),
            multiply_adds=_multiply_adds(layer),
        )
        for layer in model.layers
    )


def _multiply_adds(layer: Any) -> int:
    """Every weight of a kernel is used once per place of the output."""
    import keras

    if isinstance(layer, keras.layers.Dense):
        return int(prod(layer.kernel.shape))
    if isinstance(layer, (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.DepthwiseConv2D)):
        places = prod(layer.output.shape[1:-1])
        return int(places * prod(layer.kernel.shape))
    return 0
