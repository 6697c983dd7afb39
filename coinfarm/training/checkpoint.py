"""Where a training run stands, on disk: killed at any time, it goes on from the end of its last epoch as if nothing had been."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coinfarm.errors import CoinfarmError, system_error_text
from coinfarm.storage.local_file import naming_path
from coinfarm.training.config import TrainingConfig

if TYPE_CHECKING:
    import keras

_PLAN_FILE = "plan.json"
_STATE_FILE = "state.npz"
_BEST_FILE = "best.npz"


@dataclass(frozen=True)
class TrainingState:
    """How many epochs are done, which of them (from 0) was the best on the validation period, and its loss there."""

    epochs_done: int = 0
    best_epoch: int = -1
    best_loss: float = float("inf")

    def after(self, loss: float) -> "TrainingState":
        """One epoch later."""
        better = loss < self.best_loss
        best_epoch, best_loss = (self.epochs_done, loss) if better else (self.best_epoch, self.best_loss)
        return TrainingState(self.epochs_done + 1, best_epoch, best_loss)

    @property
    def is_best(self) -> bool:
        """Whether the last epoch was the best."""
        return self.best_epoch == self.epochs_done - 1

    def is_over(self, config: TrainingConfig) -> bool:
        """Whether all epochs are done, or too many in a row were no better."""
        return self.epochs_done >= config.epochs or self.epochs_done - 1 - self.best_epoch >= config.patience_epochs


class Checkpoint:
    """The state of one run in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def start_or_resume(self, config: TrainingConfig) -> None:
        """Make the folder for this run, or find it as this run left it.

        Raises `CoinfarmError` where another run lies there: another config, or candles that have changed since.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / _PLAN_FILE
        plan = {"config": config.model_dump(mode="json"), "candles": {str(path): _sha256(path) for path in config.candles}}
        if not path.exists():
            _replace(path, json.dumps(plan, indent=1).encode())
            return
        begun = json.loads(path.read_bytes())
        if begun != plan:
            different = [name for name, value in plan["config"].items() if begun["config"].get(name) != value]
            what = f"another {', '.join(different)}" if different else "candle files that have changed since"
            raise CoinfarmError(
                f"{self._folder}: another run was begun here, with {what}: go on with what it was, choose another folder, "
                "or delete this one to begin anew"
            )

    @property
    def state(self) -> TrainingState:
        """Where the run stands."""
        path = self._folder / _STATE_FILE
        if not path.exists():
            return TrainingState()
        with np.load(path) as saved:
            return TrainingState(**json.loads(str(saved["state"])))

    def restore(self, model: "keras.Model") -> TrainingState:
        """Set a compiled model, its optimizer and what it draws lots from to where the run stands."""
        state = self.state
        if state.epochs_done:
            with np.load(self._folder / _STATE_FILE) as saved:
                _assign(_all_variables(model), saved)
        return state

    def save(self, model: "keras.Model", network: "keras.Model", state: TrainingState) -> None:
        """After an epoch. The network first, if it is the best so far: killed in between, the epoch is done again, to the same result."""
        if state.is_best:
            self._write(_BEST_FILE, network.variables)
        self._write(_STATE_FILE, _all_variables(model), state=np.array(json.dumps(asdict(state))))

    def restore_best(self, network: "keras.Model") -> None:
        """Set a network to the best epoch."""
        with np.load(self._folder / _BEST_FILE) as saved:
            _assign(network.variables, saved)

    def _write(self, name: str, variables: list[Any], **others: Any) -> None:
        import keras

        arrays = {str(number): keras.ops.convert_to_numpy(variable) for number, variable in enumerate(variables)}
        part = self._folder / f"part-{name}"
        with naming_path(self._folder / name):
            np.savez(part, **arrays, **others)
            part.replace(self._folder / name)


def _all_variables(model: "keras.Model") -> list[Any]:
    """Weights, the state of the optimizer, and the seeds of what is drawn by lot."""
    return [*model.variables, *model.optimizer.variables]


def _assign(variables: list[Any], saved: Any) -> None:
    for number, variable in enumerate(variables):
        variable.assign(saved[str(number)])


def _replace(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    part = path.with_name(f"part-{path.name}")
    with naming_path(path):
        part.write_bytes(data)
        part.replace(path)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CoinfarmError(system_error_text(error)) from None
