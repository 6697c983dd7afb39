"""Networks that are trained on row numbers, from which a device computes what the network would compute from frames."""

from typing import TYPE_CHECKING, Any

from coinfarm.engines.keras_gpu import render_rows
from image_render.rows import RowNumbers
from image_render.spec import CHANNEL_COUNT, STANDARD

if TYPE_CHECKING:
    import keras


def with_row_input(network: "keras.Model") -> "keras.Model":
    """The network after a layer that renders its frames: from row numbers `(batch, 200, 5)` to `(batch, outputs)`."""
    import keras

    rows = _row_input()
    frames = keras.layers.Lambda(render_rows, output_shape=STANDARD.shape, name="frames")(rows)
    return keras.Model(rows, network(frames))


def with_column_sums(network: "keras.Model", first_layer: str) -> "keras.Model":
    """As `with_row_input`, without pixels, for a network whose only layer on the pixels is the `Conv1D` of that name.

    It must see one candle at a time and have no bias. The result has the variables of `network`.
    """
    import keras

    convolution = network.get_layer(first_layer)

    class ColumnSums(keras.layers.Layer):  # type: ignore[misc]
        """The output of the convolution, `(batch, 200, filters)`, computed in float32."""

        def __init__(self) -> None:
            super().__init__(dtype="float32", name="column_sums")
            self._convolution = convolution

        def call(self, rows: Any) -> Any:
            return column_sums(rows, self._convolution.kernel[0])

    rows = _row_input()
    after_convolution = keras.Model(convolution.output, network.output, name="after_convolution")
    return keras.Model(rows, after_convolution(ColumnSums()(rows)))


def column_sums(rows: Any, kernel: Any) -> Any:
    """The sum of the weights of each candle's pixels: rows `uint8` `(N, candles, 5)` and a kernel `(450, filters)` give
    `(N, candles, filters)`.

    The pixels of a channel are one run, from row a up to row b, and its sum is the difference of two prefix sums of the weights.
    """
    from keras import ops

    filters = kernel.shape[-1]
    weights = ops.reshape(kernel, (STANDARD.price_rows, CHANNEL_COUNT, filters))
    sums = ops.pad(ops.cumsum(weights, axis=0), ((1, 0), (0, 0), (0, 0)))
    table = ops.reshape(sums, (-1, filters))  # row r of channel c is at 3 * r + c

    body_low, body_high, wick_low, wick_high, volume_height = (ops.cast(rows[:, :, number], "int32") for number in range(5))

    def below(row: Any, channel: int) -> Any:
        return ops.take(table, CHANNEL_COUNT * row + channel, axis=0)

    body = below(body_high + 1, 0) - below(body_low, 0)
    wick = below(wick_high + 1, 1) - below(wick_low, 1)
    return body + wick + below(volume_height, 2)


def _row_input() -> Any:
    import keras

    return keras.Input((STANDARD.window_candles, len(RowNumbers._fields)), dtype="uint8", name="rows")
