"""`python -m images.trim`: removes files that serving does not need from an image's Python packages, and prints the savings.

The Dockerfile runs it in the layer that installs them. It fails if a pattern set matches nothing in an installed package, because the
patterns are out of date then.
"""

import shutil
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from images.symbols import strip

AWS_SERVICES = frozenset({"autoscaling", "cloudformation", "events", "lambda", "s3", "sns", "sqs", "sts", "xray"})
"""Services whose descriptions stay in botocore, out of four hundred."""

UNUSED = {
    "ccxt": ("async_support", "pro", "test", "static_dependencies/bip"),  # `bip` has invalid Python, which is not compiled
    "h5py": ("tests",),
    "keras": ("**/*_test.py", "**/*_test.*.pyc"),
    "numpy": ("**/tests", "f2py", "_core/include", "_core/lib"),
    "openvino": (
        "cmake",
        "include",
        "libs/cache.json",  # kernels of the GPU's plugin
        "libs/libopenvino_intel_[gn]pu_plugin.so",
        "libs/libopenvino_*[!r]_frontend.so*",  # for other file formats; `ir` is OpenVINO's own
    ),
    # Substrait stays, because the library is linked against it.
    "pyarrow": ("include", "includes", "src", "tests", "**/*.p[xy][dix]", "*flight*", "*_s3*", "_azurefs.*", "_gcsfs.*", "_hdfs.*"),
    "tensorflow": ("include", "xla_aot_runtime_src", "compiler/mlir/stablehlo/*.so"),
}
"""Package → patterns of files and folders to remove."""

CUDA = ("nvidia", "jax")
"""Prefixes of packages that need a GPU. They are not stripped, because that has not been tested on a GPU."""


def main(packages: Path) -> None:
    """Trim a folder of installed packages."""
    for name, patterns in UNUSED.items():
        if (packages / name).is_dir():
            freed = _remove(path for pattern in patterns for path in (packages / name).glob(pattern))
            if not freed:
                raise SystemExit(f"{name} no longer has files like {', '.join(patterns)}: update images/trim.py")
            _report(name, freed)
    services = (packages / "botocore/data").glob("*/")
    _report("botocore", _remove(service for service in services if service.name not in AWS_SERVICES))
    _report("symbols", sum(strip(library) for library in packages.glob("**/*.so*") if not _is_cuda(library.relative_to(packages))))


def _remove(paths: Iterable[Path]) -> int:
    """Remove files and folders. Returns the number of bytes removed."""
    freed = 0
    for path in sorted(paths):
        if path.is_dir():
            freed += sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
            shutil.rmtree(path)
        elif path.exists():  # it may have been removed with its folder
            freed += path.stat().st_size
            path.unlink()
    return freed


def _is_cuda(library: Path) -> bool:
    return library.parts[0].startswith(CUDA)


def _report(name: str, freed: int) -> None:
    print(f"{name}: removed {freed / 1e6:.0f} MB")


if __name__ == "__main__":
    main(Path(sysconfig.get_path("platlib")))
