"""OpenVINO's converter and NNCF, which compile models and serve none."""

from types import ModuleType
from typing import Any

from coinfarm.engines.quiet_openvino import import_openvino
from coinfarm.extras import require


def convert_model(traced: Any) -> Any:
    """A traced TensorFlow function as an `openvino.Model`."""
    import_openvino()
    from openvino.tools.ovc import convert_model as convert

    return convert(traced)


def import_nncf() -> ModuleType:
    """The quantiser; raises `MissingPackage` where the extra `compile` is not installed."""
    import_openvino()
    require("compiling a model (without --no-compile)", "nncf")
    import nncf

    module: ModuleType = nncf
    return module
