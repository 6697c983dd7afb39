"""Parameters and multiply-adds of a network, by layer."""

from math import prod
from typing import TYPE_CHECKING, Any

from coinfarm.models.manifest import LayerSummary

if TYPE_CHECKING:
    import keras


def architecture(model: "keras.Model") -> tuple[LayerSummary, ...]:
    """The layers in order, with the multiply-adds of convolutions, dense layers and attention for one frame.

    Normalisation, activation and pooling are left out, as usual: they are cheap, and fused in serving.
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
    """Every weight of a kernel is used once per position of the output."""
    import keras

    if isinstance(layer, keras.layers.Dense):
        return int(prod(layer.kernel.shape))
    if isinstance(layer, (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.DepthwiseConv2D)):
        positions = prod(layer.output.shape[1:-1])
        return int(positions * prod(layer.kernel.shape))
    if isinstance(layer, keras.layers.MultiHeadAttention):
        positions, _ = layer.output.shape[1:]
        kernels = sum(prod(weight.shape) for weight in layer.weights if weight.name == "kernel")
        products = 2 * positions**2 * layer.num_heads * layer.key_dim  # of queries with keys, and of their weights with values
        return int(positions * kernels + products)
    return 0
