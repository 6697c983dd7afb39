from pathlib import Path

import pytest

from coinfarm.errors import CoinfarmError
from coinfarm.training.checkpoint import Checkpoint, TrainingState
from tests.support.tiny_training import training_config


@pytest.mark.parametrize(
    ("losses", "best_epoch", "finished"),
    [
        pytest.param([], -1, False, id="not started"),
        pytest.param([0.5], 0, False, id="one epoch"),
        pytest.param([0.5, 0.4, 0.6], 1, False, id="patience left"),
        pytest.param([0.5, 0.4, 0.6, 0.4], 1, True, id="patience exceeded"),
        pytest.param([0.5, 0.6, 0.4, 0.7, 0.3], 4, True, id="all epochs done"),
    ],
)
def test_a_run_is_finished_after_its_epochs_or_its_patience(tmp_path: Path, losses: list[float], best_epoch: int, finished: bool) -> None:
    state = TrainingState()
    for loss in losses:
        state = state.next_epoch(loss)
    plan = training_config(tmp_path / "DEMO-1h.parquet", epochs=5, patience_epochs=2)
    assert (state.epochs_done, state.best_epoch, state.is_finished(plan)) == (len(losses), best_epoch, finished)


def test_resumes_the_same_config_and_names_the_differences_of_another(tmp_path: Path) -> None:
    (tmp_path / "DEMO-1h.parquet").touch()
    for _ in range(2):
        Checkpoint(tmp_path / "run").start_or_resume(training_config(tmp_path / "DEMO-1h.parquet"))
    assert Checkpoint(tmp_path / "run").state == TrainingState()
    with pytest.raises(CoinfarmError, match=r"run: .*seed, epochs"):
        Checkpoint(tmp_path / "run").start_or_resume(training_config(tmp_path / "DEMO-1h.parquet", seed=2, epochs=7))


def test_rejects_changed_or_missing_candles(tmp_path: Path) -> None:
    plan = training_config(tmp_path / "DEMO-1h.parquet")
    plan.candles[0].touch()
    Checkpoint(tmp_path / "run").start_or_resume(plan)
    (tmp_path / "DEMO-1h.parquet").write_bytes(b"more")
    with pytest.raises(CoinfarmError, match="run"):
        Checkpoint(tmp_path / "run").start_or_resume(plan)
    (tmp_path / "DEMO-1h.parquet").unlink()
    with pytest.raises(CoinfarmError, match=r"DEMO-1h\.parquet"):
        Checkpoint(tmp_path / "run").start_or_resume(plan)
