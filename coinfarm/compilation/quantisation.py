"""Eight-bit graphs: NNCF's post-training quantisation, with the layers left wide that lose too much."""

import contextlib
import io
import logging
from typing import Any, NamedTuple

import numpy as np

from coinfarm.compilation.tools import import_nncf
from image_render.draw import Frames, as_planes

_WEIGHTED = ("Convolution", "GroupConvolution", "MatMul")


class FloatLayers(NamedTuple):
    """How many layers with weights stay wide, counted from the frame and from the outputs, in every branch."""

    first: int
    last: int


RECIPES = (FloatLayers(1, 1), FloatLayers(2, 1), FloatLayers(2, 2), FloatLayers(3, 2))
"""From the fastest to the most careful: the first one that keeps the parity is taken.

A frame is binary, so that the first layers see few different values, and each is rounded to the same side in all of a frame:
errors that do not cancel out. What the last layer rounds nothing after it can mend.
"""


def has_layers_to_quantise(graph: Any, wide: FloatLayers) -> bool:
    """Whether any layer with weights lies between the ends."""
    ends = _ends(graph, wide)
    return any(operation.get_friendly_name() not in ends for operation in graph.get_ops() if operation.get_type_name() in _WEIGHTED)


def quantise(graph: Any, calibration: Frames, wide: FloatLayers) -> Any:
    """A graph with 8-bit weights and activations, but for the ends left wide; `graph` stays as it is.

    Raises `CoinfarmError` where NNCF is not installed, and whatever NNCF does for a graph that it cannot quantise.
    """
    nncf = import_nncf()
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, OverflowFix
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    logging.getLogger("nncf").setLevel(logging.ERROR)  # nncf.set_log_level would silence the process's own handlers too
    planes = np.ascontiguousarray(as_planes(calibration))
    parameters = AdvancedQuantizationParameters(
        # Weights of 7 bits: processors without VNNI add products of bytes in 16 bits, which those of 8 overflow. It costs nothing here.
        overflow_fix=OverflowFix.ENABLE,
        # The largest seen, not an average of the largest: a violent hour is rare, and cut off it loses its answer (seen: an rms
        # difference of 46 %, where this leaves 5).
        activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX,
        # It corrects the mean of each layer on its own; two such corrections in a row were worse than none.
        disable_bias_correction=True,
    )
    with contextlib.redirect_stdout(io.StringIO()):  # progress bars, of ten seconds in all
        in_bytes = nncf.quantize(
            graph.clone(),
            nncf.Dataset([planes[at : at + 1] for at in range(len(planes))]),
            subset_size=len(planes),
            ignored_scope=nncf.IgnoredScope(names=_ends(graph, wide)),
            advanced_parameters=parameters,
        )
        # A wide dense layer before the last needs its input wide; its weights do with 8 bits, and may be most of the file.
        spared = nncf.IgnoredScope(names=_ends(graph, FloatLayers(wide.first, 1)))
        return nncf.compress_weights(in_bytes, mode=nncf.CompressWeightsMode.INT8_SYM, ignored_scope=spared)


def _ends(graph: Any, wide: FloatLayers) -> list[str]:
    """The names of the layers with weights at most so many deep from either end."""
    operations = graph.get_ordered_ops()
    from_frame = _depths(operations, lambda operation: [port.get_source_output() for port in operation.inputs()])
    from_outputs = _depths(
        reversed(operations), lambda operation: [target for port in operation.outputs() for target in port.get_target_inputs()]
    )
    return [
        operation.get_friendly_name()
        for operation in operations
        if operation.get_type_name() in _WEIGHTED
        and (from_frame[operation.get_friendly_name()] <= wide.first or from_outputs[operation.get_friendly_name()] <= wide.last)
    ]


def _depths(operations: Any, neighbours: Any) -> dict[str, int]:
    """Of each operation, how many layers with weights there are up to it, itself among them, on the longest way."""
    depths: dict[str, int] = {}
    for operation in operations:
        before = max((depths[port.get_node().get_friendly_name()] for port in neighbours(operation)), default=0)
        depths[operation.get_friendly_name()] = before + (operation.get_type_name() in _WEIGHTED)
    return depths
