"""Checkpoints of a training run: a run that was killed continues after its last finished epoch, with the same result."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coinfarm.errors import CoinfarmError
from coinfarm.models.bundle import digest_of
from coinfarm.storage.local_file import atomic_write, write_file
from coinfarm.training.config import TrainingConfig

if TYPE_CHECKING:
    import keras

_PLAN_FILE = "plan.json"
_STATE_FILE = "state.npz"
_BEST_FILE = "best.npz"


@dataclass(frozen=True)
class TrainingState:
    """The number of finished epochs, and the index and validation loss of the best one."""

    epochs_done: int = 0
    best_epoch: int = -1
    best_loss: float = float("inf")

    def next_epoch(self, loss: float) -> "TrainingState":
        """The state after one more epoch with that validation loss."""
        better = loss < self.best_loss
        best_epoch, best_loss = (self.epochs_done, loss) if better else (self.best_epoch, self.best_loss)
        return TrainingState(self.epochs_done + 1, best_epoch, best_loss)

    @property
    def is_best(self) -> bool:
        """Whether the last epoch was the best."""
        return self.best_epoch == self.epochs_done - 1

    def is_finished(self, config: TrainingConfig) -> bool:
        """Whether all epochs are done, or `patience_epochs` passed without improvement."""
        return self.epochs_done >= config.epochs or self.epochs_done - 1 - self.best_epoch >= config.patience_epochs


class Checkpoint:
    """The checkpoint of one run, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def start_or_resume(self, config: TrainingConfig) -> None:
        """Create the folder, or check that it belongs to this run.

        Raises `CoinfarmError` if it belongs to a run with another config, or the candle files have changed.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / _PLAN_FILE
        plan = {"config": config.model_dump(mode="json"), "candles": {str(file): digest_of(file).sha256 for file in config.candles}}
        if not path.exists():
            write_file(path, json.dumps(plan, indent=1))
            return
        stored = json.loads(path.read_bytes())
        if stored != plan:
            different = [name for name, value in plan["config"].items() if stored["config"].get(name) != value]
            difference = f"a different {', '.join(different)}" if different else "candle files that have changed since"
            old = "values" if different else "files"
            raise CoinfarmError(
                f"{self._folder}: another run was started here, with {difference}: restore the old {old} to continue it, choose "
                "another folder, or delete this one to start again"
            )

    @property
    def state(self) -> TrainingState:
        """The stored state; the initial one if there is none."""
        path = self._folder / _STATE_FILE
        if not path.exists():
            return TrainingState()
        with np.load(path) as saved:
            return TrainingState(**json.loads(str(saved["state"])))

    def restore(self, model: "keras.Model") -> TrainingState:
        """Restore the weights, optimizer state and random seeds of a compiled model."""
        state = self.state
        if state.epochs_done:
            with np.load(self._folder / _STATE_FILE) as saved:
                _assign(_all_variables(model), saved)
        return state

    def save(self, model: "keras.Model", network: "keras.Model", state: TrainingState) -> None:
        """Store the state after an epoch. The best network comes first: if killed in between, the epoch is just repeated."""
        if state.is_best:
            self._write(_BEST_FILE, network.variables)
        self._write(_STATE_FILE, _all_variables(model), state=np.array(json.dumps(asdict(state))))

    def restore_best(self, network: "keras.Model") -> None:
        """Restore the network's weights of the best epoch."""
        with np.load(self._folder / _BEST_FILE) as saved:
            _assign(network.variables, saved)

    def _write(self, name: str, variables: list[Any], **others: Any) -> None:
        import keras

        arrays = {str(number): keras.ops.convert_to_numpy(variable) for number, variable in enumerate(variables)}
        with atomic_write(self._folder / name) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays, **others)


def _all_variables(model: "keras.Model") -> list[Any]:
    """Weights, optimizer state and random seeds."""
    return [*model.variables, *model.optimizer.variables]


def _assign(variables: list[Any], saved: Any) -> None:
    for number, variable in enumerate(variables):
        variable.assign(saved[str(number)])
