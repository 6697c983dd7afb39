"""What the processor at hand can do."""

from functools import cache
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")


@cache
def processor_flags() -> frozenset[str]:
    """The instruction sets, as Linux spells them (`avx2`, `avx512_bf16`, …); none where no `/proc/cpuinfo` tells.

    OpenVINO's own list of capabilities does not do: it names BF16 for processors that only emulate it, slower than float32.
    """
    return frozenset(_field("flags", "Features").split())


@cache
def processor_name() -> str:
    """As the processor calls itself."""
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
