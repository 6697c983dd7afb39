"""Where a run stands, and which run it is."""

from pathlib import Path

import pytest

from coinfarm.errors import CoinfarmError
from coinfarm.training.checkpoint import Checkpoint, TrainingState
from coinfarm.training.config import TrainingConfig


@pytest.mark.parametrize(
    ("losses", "best_epoch", "over"),
    [
        pytest.param([], -1, False, id="nothing done"),
        pytest.param([0.5], 0, False, id="one epoch"),
        pytest.param([0.5, 0.4, 0.6], 1, False, id="patience left"),
        pytest.param([0.5, 0.4, 0.6, 0.4], 1, True, id="no better twice"),
        pytest.param([0.5, 0.6, 0.4, 0.7, 0.3], 4, True, id="all epochs done"),
    ],
)
def test_a_run_is_over_after_its_epochs_or_its_patience(tmp_path: Path, losses: list[float], best_epoch: int, over: bool) -> None:
    state = TrainingState()
    for loss in losses:
        state = state.after(loss)
    plan = config(tmp_path, epochs=5, patience_epochs=2)
    assert (state.epochs_done, state.best_epoch, state.is_over(plan)) == (len(losses), best_epoch, over)


def config(folder: Path, **fields: object) -> TrainingConfig:
    (folder / "DEMO-1h.parquet").touch()
    periods = {
        name: {"start": f"20{year}-01-01", "stop": f"20{year}-02-01"} for name, year in zip(("train", "validation", "test"), (20, 21, 22))
    }
    return TrainingConfig.model_validate({"name": "tiny", "candles": [folder / "DEMO-1h.parquet"], **periods, **fields})


def test_the_same_run_goes_on(tmp_path: Path) -> None:
    for _ in range(2):
        Checkpoint(tmp_path / "run").start_or_resume(config(tmp_path))
    assert Checkpoint(tmp_path / "run").state == TrainingState()


def test_another_config_is_refused_and_what_differs_is_named(tmp_path: Path) -> None:
    Checkpoint(tmp_path / "run").start_or_resume(config(tmp_path))
    with pytest.raises(CoinfarmError, match=r"run: another run was begun here, with another seed, epochs: .* delete this one"):
        Checkpoint(tmp_path / "run").start_or_resume(config(tmp_path, seed=2, epochs=7))


def test_candles_that_have_changed_are_refused(tmp_path: Path) -> None:
    Checkpoint(tmp_path / "run").start_or_resume(config(tmp_path))
    (tmp_path / "DEMO-1h.parquet").write_bytes(b"more")
    with pytest.raises(CoinfarmError, match=r"another run was begun here, with candle files that have changed since: "):
        Checkpoint(tmp_path / "run").start_or_resume(config(tmp_path))


def test_candles_that_are_not_there_are_named(tmp_path: Path) -> None:
    plan = config(tmp_path)
    (tmp_path / "DEMO-1h.parquet").unlink()
    with pytest.raises(CoinfarmError, match=r"DEMO-1h\.parquet: no such file"):
        Checkpoint(tmp_path / "run").start_or_resume(plan)
