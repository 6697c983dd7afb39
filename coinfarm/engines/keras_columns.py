"""Splits Keras networks whose first layers are linear in single candles, and looks these layers up in tables on the device."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coinfarm.engines.column_probe import PROBED_AT_ONCE, probed_tables, random_rows, reproduces
from coinfarm.engines.column_tables import ColumnTables
from image_render.render import Frames
from image_render.rows import planes_of_rows
from image_render.spec import STANDARD

_WEIGHTED = ("Dense", "Conv1D", "Conv2D", "SeparableConv1D")
_MAX_FEATURES = 1024
"""Per candle: for more, for example of a convolution over few rows, the products of the pixels are faster."""
_RANDOM_FRAMES = 20


@dataclass(frozen=True, eq=False)
class SplitNetwork:
    """A network without its first layers, whose output has the shape `lengths` with the positions at `axis`."""

    rest: Any
    tables: ColumnTables
    lengths: tuple[int, ...]
    axis: int

    def look_up(self, rows: Any) -> Any:
        """The input of `rest`, `(N, *lengths)`, for rows `(N, 200, 5)`: the device computes the same as `ColumnTables.look_up`."""
        from keras import ops

        tables = self.tables
        features = ops.convert_to_tensor(tables.bias[None])
        for tap, positions, candles in tables.taps():
            looked_up = [
                ops.take(tables.tables[tap, number], ops.cast(rows[:, candles, number], "int32"), axis=0) for number in range(rows.shape[2])
            ]
            before, after = positions.start, len(tables.bias) - positions.stop
            features = features + ops.pad(sum(looked_up[1:], looked_up[0]), ((0, 0), (before, after), (0, 0)))
        others = [length for at, length in enumerate(self.lengths, start=1) if at != self.axis]
        return ops.moveaxis(ops.reshape(features, (rows.shape[0], len(tables.bias), *others)), 1, self.axis)


def split_network(network: Any) -> SplitNetwork | None:
    """The network without its first weighted layer, and without batch normalisation behind that; None if they are not linear in single
    candles. Call it in float32.
    """
    import keras

    for output in _candidates(network):
        lengths = tuple(output.shape[1:])
        if None in lengths or np.prod(lengths) > STANDARD.window_candles * _MAX_FEATURES:
            continue
        layers = keras.Model(network.inputs[0], output)

        def probe(planes: Frames, layers: Any = layers) -> NDArray[np.float32]:
            parts = [planes[at : at + PROBED_AT_ONCE].transpose(0, 2, 3, 1) for at in range(0, len(planes), PROBED_AT_ONCE)]
            return np.concatenate([np.asarray(layers(part.astype(np.float32), training=False)) for part in parts])

        frames = planes_of_rows(random_rows(_RANDOM_FRAMES)).transpose(0, 2, 3, 1)
        for axis, tables in probed_tables(probe, list(lengths)):
            if reproduces(tables, probe, axis, frames):
                return SplitNetwork(keras.Model(output, network.outputs), tables, lengths, axis)
    return None


def _candidates(network: Any) -> Iterator[Any]:
    """Where the network can be split: behind the batch normalisation of the first weighted layer, or behind that layer itself."""
    tensor = network.inputs[0]
    while (layer := _only_user(network, tensor)) is not None:
        tensor = layer.output
        if type(layer).__name__ in _WEIGHTED:
            following = _only_user(network, tensor)
            if type(following).__name__ == "BatchNormalization":
                yield following.output
            yield tensor
            return


def _only_user(network: Any, tensor: Any) -> Any:
    """The only layer that takes the tensor as its input, else None."""
    users = [layer for layer in network.layers if any(each is tensor for node in layer._inbound_nodes for each in node.input_tensors)]
    return users[0] if len(users) == 1 and len(users[0]._inbound_nodes) == 1 else None
