"""The packages that only reports need."""

from coinfarm.extras import require


def require_packages() -> None:
    """Raises `MissingPackage` where they are not installed: better before the work than after it."""
    require("a report", "jinja2", "matplotlib")
