"""The name and the instruction sets of this machine's processor."""

from functools import cache
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")


@cache
def processor_flags() -> frozenset[str]:
    """The instruction sets in Linux' spelling (`avx2`, `avx512_bf16`, …); empty without `/proc/cpuinfo`.

    OpenVINO's own list of capabilities is not used: it names BF16 for processors that only emulate it, slower than float32.
    """
    return frozenset(_field("flags", "Features").split())


@cache
def processor_name() -> str:
    """The model name of the processor, or "unknown"."""
    return _field("model name") or "unknown"


def _field(*names: str) -> str:
    try:
        with _CPUINFO.open() as lines:
            for line in lines:
                name, _, value = line.partition(":")
                if name.strip() in names:
                    return value.strip()
    except OSError:
        pass
    return ""
