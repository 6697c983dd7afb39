"""`coinfarm train`, up to the training itself."""

from pathlib import Path

import pytest

from tests.support.cli_runner import coinfarm
from tests.support.fake_models import seal


def test_refuses_a_folder_that_is_not_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    seal(tmp_path / "taken")
    periods = (
        f"{name} = {{ start = 2020-0{month}-01, stop = 2020-0{month + 1}-01 }}"
        for month, name in enumerate(("train", "validation", "test"), 1)
    )
    Path("config.toml").write_text("\n".join(['name = "mine"', 'candles = ["BTCUSD-1m.parquet"]', *periods]))
    shown = coinfarm("train", "config.toml", "-o", tmp_path / "taken")
    assert shown.exit_code == 1
    assert "taken" in shown.stderr
