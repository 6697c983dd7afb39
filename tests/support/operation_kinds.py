"""Networks with functions of keras.ops between their layers."""

from tests.support.model_kinds import kinds, on_image

OPERATION_KINDS = kinds(
    "keras.ops",
    on_image,
    {
        "arithmetic and slices": lambda k, x: k.ops.maximum(1 - x[:, ::2] / 3, 0.2) + x[:, 1::2] ** 2,
        "mean, std and median": lambda k, x: k.ops.concatenate([k.ops.mean(x, 1), k.ops.std(x, 1), k.ops.median(x, 1)], -1),
        "reshape, transpose and stack": lambda k, x: k.ops.stack([k.ops.transpose(k.ops.reshape(x, (-1, 300, 8)), (0, 2, 1))] * 2, 1),
        "where, einsum": lambda k, x: k.ops.einsum("bijc,bkjc->bik", k.ops.where(x > 0.1, x, 0.0), x),
        "split, roll, flip and pad": lambda k, x: k.ops.split(
            k.ops.pad(k.ops.roll(k.ops.flip(x, 1), 3, 1), ((0, 0), (1, 1), (0, 0), (0, 0))), 2, 1
        )[0],
        "cumsum, sort and top_k": lambda k, x: k.ops.concatenate([k.ops.sort(k.ops.cumsum(x, 1), 2), k.ops.top_k(x, 8)[0]], -1),
        "pooling": lambda k, x: k.ops.average_pool(k.ops.max_pool(x, 2), 2),
        "rfft": lambda k, x: k.ops.rfft(k.ops.transpose(x, (0, 2, 3, 1)))[0],
        "normalize, erf and logsumexp": lambda k, x: k.ops.normalize(k.ops.erf(k.ops.logsumexp(x, -1, keepdims=True)), axis=1),
        "extract_patches": lambda k, x: k.ops.image.extract_patches(x, 5),
        "one_hot of argmax": lambda k, x: k.ops.one_hot(k.ops.argmax(x, -1), 8),
    },
    quick=("arithmetic and slices", "where, einsum"),
    in_keras=("extract_patches", "one_hot of argmax"),
)
