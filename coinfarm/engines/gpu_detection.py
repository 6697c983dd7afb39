"""Whether this machine has a GPU."""

import os
from pathlib import Path

_DEVICE_FILES = (Path("/dev/nvidia0"), Path("/proc/driver/nvidia/version"))
_VISIBLE_DEVICES = "CUDA_VISIBLE_DEVICES"


def has_gpu() -> bool:
    """Whether a driver of NVIDIA's shows one: cheap, so that a machine without imports nothing to find out.

    `CUDA_VISIBLE_DEVICES`, empty or -1, hides it here as it does from every program.
    """
    if os.environ.get(_VISIBLE_DEVICES, "0") in ("", "-1"):
        return False
    return any(path.exists() for path in _DEVICE_FILES)
