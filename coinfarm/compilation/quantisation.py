"""8-bit graphs: NNCF's post-training quantisation, except for the layers that would lose too much precision."""

import contextlib
import io
import logging
from typing import Any, NamedTuple

from numpy.typing import NDArray

from coinfarm.compilation.converter import import_nncf
from coinfarm.engines.openvino_import import cause
from coinfarm.errors import ModelError

_WEIGHTED = ("Convolution", "GroupConvolution", "MatMul")


class FloatLayers(NamedTuple):
    """The number of weighted layers that stay in floating point, from the input and from the outputs, in every branch."""

    first: int
    last: int
    sums: bool = False
    """Whether the sums of two layers, in residual networks, stay in floating point, too."""


RECIPES = (FloatLayers(1, 1), FloatLayers(1, 2), FloatLayers(2, 1), FloatLayers(2, 2), FloatLayers(3, 2))
"""From the fastest to the most precise; the first one that passes the parity test is used.

A frame is binary, so the first layers see few different values, each of which is rounded in the same direction
in the entire frame: the errors do not cancel out. Nothing can correct the rounding of the last layer.
"""


RESIDUAL_RECIPES = (FloatLayers(1, 1), FloatLayers(1, 1, sums=True), FloatLayers(1, 2, sums=True), FloatLayers(3, 2, sums=True))
"""Those of networks with sums of two layers: their errors add up, and quantised sums were the largest part of them."""


def recipes(graph: Any) -> tuple[FloatLayers, ...]:
    """The recipes to try for a graph, in order."""
    return RESIDUAL_RECIPES if _sums(graph) else RECIPES


def has_layers_to_quantise(graph: Any, float_layers: FloatLayers) -> bool:
    """Whether any weighted layer remains to be quantised."""
    names = _names(graph, float_layers)
    return any(operation.get_friendly_name() not in names for operation in graph.get_ops() if operation.get_type_name() in _WEIGHTED)


def quantise(graph: Any, calibration: NDArray[Any], float_layers: FloatLayers) -> Any:
    """A copy of `graph` with 8-bit weights and activations, except in the `float_layers`; `calibration` are inputs of it `(N, …)`.

    Raises `CoinfarmError` if NNCF is not installed, and `ModelError` for a graph that NNCF cannot quantise.
    """
    nncf = import_nncf()
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, OverflowFix
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    logging.getLogger("nncf").setLevel(logging.ERROR)  # nncf.set_log_level would silence the process's own handlers too
    parameters = AdvancedQuantizationParameters(
        # 7-bit weights: processors without VNNI add products of bytes in 16 bits, which 8-bit weights overflow. No loss of parity was seen.
        overflow_fix=OverflowFix.ENABLE,
        # The overall minimum and maximum instead of averages: volatile hours are rare, and clipping them ruins their predictions (an rms
        # difference of 46 % was seen, compared with 5 %).
        activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX,
        # It corrects the mean of each layer separately; two corrections in a row were worse than none.
        disable_bias_correction=True,
    )
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # progress bars of about ten seconds
            quantised = nncf.quantize(
                graph.clone(),
                nncf.Dataset([calibration[at : at + 1] for at in range(len(calibration))]),
                subset_size=len(calibration),
                ignored_scope=nncf.IgnoredScope(names=_names(graph, float_layers) + (_sums(graph) if float_layers.sums else [])),
                advanced_parameters=parameters,
            )
            # A dense layer before the last needs float inputs; its weights, which may be most of the file, can have 8 bits.
            ignored = nncf.IgnoredScope(names=_names(graph, FloatLayers(float_layers.first, 1)))
            return nncf.compress_weights(quantised, mode=nncf.CompressWeightsMode.INT8_SYM, ignored_scope=ignored)
    except Exception as error:  # of many types, for layers such as recurrent ones
        raise ModelError(f"cannot be quantised: {cause(error)}") from error


def _names(graph: Any, float_layers: FloatLayers) -> list[str]:
    """The names of the float layers: weighted layers within `first` of the input or `last` of an output."""
    operations = graph.get_ordered_ops()
    from_frame = _depths(operations, lambda operation: [port.get_source_output() for port in operation.inputs()])
    from_outputs = _depths(
        reversed(operations), lambda operation: [target for port in operation.outputs() for target in port.get_target_inputs()]
    )
    return [
        operation.get_friendly_name()
        for operation in operations
        if operation.get_type_name() in _WEIGHTED
        and (
            from_frame[operation.get_friendly_name()] <= float_layers.first
            or from_outputs[operation.get_friendly_name()] <= float_layers.last
        )
    ]


def _sums(graph: Any) -> list[str]:
    """The names of the additions of two layers, unlike those of a bias."""
    return [
        operation.get_friendly_name()
        for operation in graph.get_ops()
        if operation.get_type_name() == "Add" and all(port.get_node().get_type_name() != "Constant" for port in operation.input_values())
    ]


def _depths(operations: Any, neighbours: Any) -> dict[str, int]:
    """For each operation, the number of weighted layers on the longest path up to and including it."""
    depths: dict[str, int] = {}
    for operation in operations:
        before = max((depths[port.get_node().get_friendly_name()] for port in neighbours(operation)), default=0)
        depths[operation.get_friendly_name()] = before + (operation.get_type_name() in _WEIGHTED)
    return depths
