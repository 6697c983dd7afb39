"""`make bench-gpu` where there is no GPU."""

import sys
from pathlib import Path

import pytest

from benchmarks import gpu


def test_without_a_gpu_the_benchmark_says_so_and_measures_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gpu, "has_gpu", lambda: False)
    monkeypatch.setattr(sys, "argv", ["benchmarks.gpu", "--json", str(tmp_path / "gpu.json")])
    assert gpu.main() == 0
    assert "No GPU is at hand" in capsys.readouterr().out
    assert not (tmp_path / "gpu.json").exists()
