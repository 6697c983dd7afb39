"""OpenVINO's converter and NNCF, which are used only to compile models."""

import sys
import tempfile
from types import ModuleType
from typing import Any

from coinfarm.engines.openvino_import import import_openvino
from coinfarm.extras import require


def convert_model(traced: Any) -> Any:
    """A traced TensorFlow function as an `openvino.Model` with the function's outputs."""
    import_openvino()
    from openvino.frontend import OpConversionFailure
    from openvino.tools.ovc import convert_model as convert

    if sys.version_info >= (3, 13):
        _repair_converter()
    try:
        return _without_unused_results(convert(traced), {output.name for output in traced.outputs})
    except OpConversionFailure:  # the loops of recurrent layers are converted only from a saved model
        with tempfile.TemporaryDirectory() as folder:
            _save_model(traced, folder)
            return convert(folder)


def _without_unused_results(model: Any, outputs: set[str]) -> Any:
    """The converter also returns what nothing uses, for example a shape in Keras' attention."""
    for result in model.get_results():
        if outputs.isdisjoint(result.output(0).names):
            model.remove_result(result)
    return model


def _save_model(traced: Any, folder: str) -> None:
    tensorflow = sys.modules["tensorflow"]  # imported, because it traced the function
    module = tensorflow.Module()
    module.tracked = traced.variables
    tensorflow.saved_model.save(module, folder, signatures=traced)


def _repair_converter() -> None:
    """OpenVINO reads TensorFlow's version with `exec`, which fails from Python 3.13 on (PEP 667; openvino pull request 32482)."""
    from openvino.frontend.tensorflow import utils

    version = sys.modules["tensorflow"].__version__  # imported, because it traced the function
    utils.get_environment_setup = lambda framework: {framework: version, "tensorflow": version}


def import_nncf() -> ModuleType:
    """NNCF, the quantiser. Raises `MissingPackage` if the extra `compile` is not installed."""
    import_openvino()
    require("compiling a model (without --no-compile)", "nncf")
    import nncf

    module: ModuleType = nncf
    return module
