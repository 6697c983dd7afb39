"""Detects whether this machine has a GPU."""

import os
from pathlib import Path

_DEVICE_FILES = (Path("/dev/nvidia0"), Path("/proc/driver/nvidia/version"))
_VISIBLE_DEVICES = "CUDA_VISIBLE_DEVICES"


def has_gpu() -> bool:
    """Whether the NVIDIA driver shows a GPU. Cheap: no framework is imported.

    `CUDA_VISIBLE_DEVICES`, empty or -1, hides it, as it does for every CUDA program.
    """
    if os.environ.get(_VISIBLE_DEVICES, "0") in ("", "-1"):
        return False
    return any(path.exists() for path in _DEVICE_FILES)
