"""OpenVINO's converter and NNCF, which are used only to compile models."""

import sys
import tempfile
from types import ModuleType
from typing import Any

from coinfarm.engines.openvino_import import import_openvino
from coinfarm.extras import require


def convert_model(traced: Any) -> Any:
    """A traced TensorFlow function as an `openvino.Model`."""
    import_openvino()
    from openvino.frontend import OpConversionFailure
    from openvino.tools.ovc import convert_model as convert

    if sys.version_info >= (3, 13):
        _repair_converter()
    try:
        return convert(traced)
    except OpConversionFailure:  # the loops of recurrent layers are converted only from a saved model
        with tempfile.TemporaryDirectory() as folder:
            _save_model(traced, folder)
            return convert(folder)


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
