"""The packages that only reports need."""

from importlib import import_module

from coinfarm.errors import CoinfarmError


def require_packages() -> None:
    """Raises `CoinfarmError` where they are not installed: better before the work than after it."""
    try:
        for package in ("jinja2", "matplotlib"):
            import_module(package)
    except ImportError:
        raise CoinfarmError("reports need Jinja2 and Matplotlib: pip install 'coinfarm[report]'") from None
