from collections.abc import Iterator
from pathlib import Path

import pytest

from coinfarm.engines import processor

EPYC = "processor\t: 0\nmodel name\t: AMD EPYC 9R14\nflags\t\t: fpu avx2 avx512_bf16\n\nprocessor\t: 1\nflags\t\t: other\n"
GRAVITON = "processor\t: 0\nBogoMIPS\t: 2100.00\nFeatures\t: fp asimd bf16\n"


@pytest.fixture(autouse=True)
def no_cache() -> Iterator[None]:
    yield
    processor.processor_flags.cache_clear()
    processor.processor_name.cache_clear()


@pytest.mark.parametrize(
    ("text", "name", "flags"),
    [
        pytest.param(EPYC, "AMD EPYC 9R14", {"fpu", "avx2", "avx512_bf16"}, id="x86"),
        pytest.param(GRAVITON, "unknown", {"fp", "asimd", "bf16"}, id="ARM"),
        pytest.param("", "unknown", set(), id="empty"),
        pytest.param(None, "unknown", set(), id="missing"),
    ],
)
def test_reads_name_and_flags_of_the_first_core(
    text: str | None, name: str, flags: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if text is not None:
        (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "cpuinfo")
    processor.processor_flags.cache_clear()
    processor.processor_name.cache_clear()
    assert (processor.processor_name(), processor.processor_flags()) == (name, flags)
