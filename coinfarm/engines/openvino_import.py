"""Imports OpenVINO without its telemetry, which would report the import to Google Analytics, and without its converter."""

import sys
from types import ModuleType

# None in sys.modules makes an import fail; OpenVINO and NNCF then use a stub instead of the telemetry package.
_TELEMETRY = "openvino_telemetry"
_TOOLS = "openvino.tools"


def import_openvino() -> ModuleType:
    """Import only the runtime, which takes half the time."""
    if "openvino" not in sys.modules:
        sys.modules.setdefault(_TELEMETRY, None)  # type: ignore[arg-type]
        sys.modules[_TOOLS] = None  # type: ignore[assignment]
        try:
            import openvino  # noqa: F401
        finally:
            del sys.modules[_TOOLS]
    return sys.modules["openvino"]


_LOCATIONS = ("Exception from", "Check '", "FrontEnd API failed", "Model wasn't fully converted", "Summary", "Details", "While validating")
_SHOWN_CHARACTERS = 200


def cause(error: Exception) -> str:
    """The first line of an error of OpenVINO or NNCF that is not about their own source files."""
    lines = [line.strip(" -") for line in str(error).splitlines()]
    first = next((line for line in lines if line and not line.startswith(_LOCATIONS)), type(error).__name__)
    return first if len(first) <= _SHOWN_CHARACTERS else f"{first[:_SHOWN_CHARACTERS]} …"
