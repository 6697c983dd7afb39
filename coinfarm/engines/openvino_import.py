"""OpenVINO without what it does unasked: its import reports to Google Analytics that it was imported, and loads its converter."""

import sys
from types import ModuleType

# With None in its place a module cannot be imported: OpenVINO, and NNCF too, then put a stub where their reports would go.
_TELEMETRY = "openvino_telemetry"
_TOOLS = "openvino.tools"


def import_openvino() -> ModuleType:
    """The runtime alone, which takes half the time."""
    if "openvino" not in sys.modules:
        sys.modules.setdefault(_TELEMETRY, None)  # type: ignore[arg-type]
        sys.modules[_TOOLS] = None  # type: ignore[assignment]
        try:
            import openvino  # noqa: F401
        finally:
            del sys.modules[_TOOLS]
    return sys.modules["openvino"]
