"""OpenVINO without what it does unasked: its import reports to Google Analytics that it was imported, and loads its converter."""

import sys
from types import ModuleType
from typing import Any

from coinfarm.errors import CoinfarmError

# With None in its place a module cannot be imported; OpenVINO and NNCF then put a stub where their reports would go.
_TELEMETRY = "openvino_telemetry"
_TOOLS = "openvino.tools"


def import_openvino() -> ModuleType:
    """The runtime alone: it costs 0.1 s rather than 0.2."""
    _silence()
    if "openvino" not in sys.modules:
        sys.modules[_TOOLS] = None  # type: ignore[assignment]
        try:
            import openvino  # noqa: F401
        finally:
            del sys.modules[_TOOLS]
    return sys.modules["openvino"]


def convert_model(traced: Any) -> Any:
    """OpenVINO's converter: a traced TensorFlow function to an `openvino.Model`."""
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


def _silence() -> None:
    sys.modules.setdefault(_TELEMETRY, None)  # type: ignore[arg-type]
