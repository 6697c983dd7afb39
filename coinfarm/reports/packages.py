"""The packages that only reports need."""

from coinfarm.extras import require


def require_report_packages() -> None:
    """Raise `MissingPackage` if they are not installed, before any work is done."""
    require("a report", "matplotlib")
