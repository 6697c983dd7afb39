"""`make bench-gpu` without a GPU."""

import sys

from benchmarks import gpu


def test_measures_nothing_without_a_gpu(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gpu, "has_gpu", lambda: False)
    monkeypatch.setattr(sys, "argv", ["benchmarks.gpu", "--json", str(tmp_path / "gpu.json")])
    assert gpu.main() == 0
    assert "GPU" in capsys.readouterr().out
    assert not (tmp_path / "gpu.json").exists()
