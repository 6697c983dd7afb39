"""`python -m images.trim`: takes out of an image's Python packages what nothing that serves reads, and prints what each lost.

The Dockerfile runs it in the layer that installs them. Where a package is there but nothing that its rule names, it fails: the rule is
out of date then.
"""

import shutil
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from images.symbols import strip

AWS_SERVICES = frozenset({"autoscaling", "cloudformation", "lambda", "s3", "sqs", "sts", "xray"})
"""Whose descriptions stay in botocore; it has those of four hundred."""

UNUSED = {
    "h5py": ("tests",),
    "keras": ("**/*_test.py", "**/*_test.*.pyc"),
    "numpy": ("**/tests", "f2py", "_core/include", "_core/lib"),
    "openvino": (
        "cmake",
        "include",
        "libs/cache.json",  # kernels of the GPU's plugin
        "libs/libopenvino_intel_[gn]pu_plugin.so",
        "libs/libopenvino_*[!r]_frontend.so*",  # of files of others' kinds; OpenVINO's own is `ir`
    ),
    # Substrait stays: the library itself is linked against it.
    "pyarrow": ("include", "includes", "src", "tests", "**/*.p[xy][dix]", "*flight*", "*_s3*", "_azurefs.*", "_gcsfs.*", "_hdfs.*"),
    "tensorflow": ("include", "xla_aot_runtime_src", "compiler/mlir/stablehlo/*.so"),
}
"""Files and folders of each package."""

CUDA = ("nvidia", "jax")
"""What packages are called that need a GPU. None was at hand to see them work without a part, so they stay whole."""


def main(packages: Path) -> None:
    """Trim a folder of installed packages."""
    for name, patterns in UNUSED.items():
        if (packages / name).is_dir():
            freed = _remove(path for pattern in patterns for path in (packages / name).glob(pattern))
            if not freed:
                raise SystemExit(f"{name} has nothing like {', '.join(patterns)} any more: put images/trim.py right")
            _tell(name, freed)
    services = (packages / "botocore/data").glob("*/")
    _tell("botocore", _remove(service for service in services if service.name not in AWS_SERVICES))
    _tell("symbols", sum(strip(library) for library in packages.glob("**/*.so*") if not _is_cuda(library.relative_to(packages))))


def _remove(paths: Iterable[Path]) -> int:
    """Returns how many bytes they took."""
    freed = 0
    for path in sorted(paths):
        if path.is_dir():
            freed += sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
            shutil.rmtree(path)
        elif path.exists():  # it may have gone with a folder
            freed += path.stat().st_size
            path.unlink()
    return freed


def _is_cuda(library: Path) -> bool:
    return library.parts[0].startswith(CUDA)


def _tell(name: str, freed: int) -> None:
    print(f"{name}: {freed / 1e6:.0f} MB less")


if __name__ == "__main__":
    main(Path(sysconfig.get_path("platlib")))
