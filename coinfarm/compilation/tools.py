"""OpenVINO's converter and NNCF, which compile models and serve none."""

from types import ModuleType
from typing import Any

from coinfarm.engines.quiet_openvino import import_openvino
from coinfarm.errors import CoinfarmError


def convert_model(traced: Any) -> Any:
    """A traced TensorFlow function as an `openvino.Model`."""
    import_openvino()
    from openvino.tools.ovc import convert_model as convert

    return convert(traced)


def import_nncf() -> ModuleType:
    """The quantiser; raises `CoinfarmError` where the extra `compile` is not installed."""
    import_openvino()
    try:
        import nncf
    except ImportError:
        raise CoinfarmError("quantising needs NNCF: pip install 'coinfarm[compile]', or publish with --no-compile") from None
    module: ModuleType = nncf
    return module
