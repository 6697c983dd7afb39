"""Optional packages, and the extras that install them."""

from importlib.util import find_spec

from coinfarm.errors import CoinfarmError

_EXTRAS = {
    "blosc": "hdf5",
    "ccxt": "live",
    "h5py": "hdf5",
    "jax": "gpu",
    "keras": "keras",
    "matplotlib": "report",
    "moto": "demo",
    "nncf": "compile",
    "prometheus_client": "serve",
    "sklearn": "evaluate",
    "tensorboard": "train",
    "tensorflow": "keras",
    "uvicorn": "serve",
    "yaml": "demo",
}


class MissingPackage(CoinfarmError):
    """An optional package is not installed; the message says how to install it."""


def how_to_install(package: str) -> str:
    """How to install an optional package, as part of a message."""
    return f"in a checkout, make develop installs it; elsewhere, pip install 'coinfarm[{_EXTRAS[package]}]'"


def require(purpose: str, *packages: str) -> None:
    """Raise `MissingPackage` for the first of the packages that is not installed. Imports none of them."""
    for package in packages:
        if find_spec(package) is None:
            raise _missing(purpose, package)


def missing_package(error: ModuleNotFoundError, purpose: str) -> MissingPackage | None:
    """The error to show for a failed import; None if no extra installs the module."""
    package = (error.name or "").partition(".")[0]
    return _missing(purpose, package) if package in _EXTRAS else None


def _missing(purpose: str, package: str) -> MissingPackage:
    return MissingPackage(f"{purpose} needs {package}, which is not installed: {how_to_install(package)}")
