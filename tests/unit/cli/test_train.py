"""`coinfarm train`: interrupted, and on a full disk."""

import pytest

from tests.support.cli_runner import coinfarm
from tests.support.tiny_training import write_tiny_training


def test_ctrl_c_names_the_folder_of_the_finished_epochs(tmp_path, monkeypatch):
    def train(config, folder, on_epoch, **_):
        on_epoch(0, {"loss": 0.5})
        raise KeyboardInterrupt

    monkeypatch.setattr("coinfarm.training.train.train", train)
    write_tiny_training(tmp_path)
    shown = coinfarm("train", tmp_path / "tiny.toml", "-o", tmp_path / "bundle")
    assert shown.exit_code == 130
    assert f"{tmp_path}/bundle.training" in shown.stderr.splitlines()[-1]
    assert "epoch 1 of 2 " in shown.stderr


@pytest.mark.parametrize(("max_bytes", "file"), [(500, "plan.json"), (5_000, "open_time"), (20_000, "targets_pct.npy")])
def test_names_the_file_that_does_not_fit_on_the_disk(max_bytes, file, tmp_path, monkeypatch, limit_file_size):
    monkeypatch.setattr("coinfarm.training.train._start_keras", lambda: None)
    write_tiny_training(tmp_path)
    limit_file_size(max_bytes)
    shown = coinfarm("train", tmp_path / "tiny.toml", "-o", tmp_path / "bundle")
    assert shown.exit_code == 1, shown.output
    last = shown.stderr.splitlines()[-1]
    assert last.startswith(f"Error: {tmp_path}/bundle.training/")
    assert f"/{file}: " in last
    assert not (tmp_path / "bundle").exists()
