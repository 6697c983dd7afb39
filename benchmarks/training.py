"""`python -m benchmarks.training`: training frames/s of the default network, and of 0.1.0's network as 0.1.0 trained it, in turns."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.candidates import TRAINING
from benchmarks.candles import bench_candles
from benchmarks.reference import machine
from coinfarm.candles.candles import Candles
from coinfarm.cli.tables import numeric_table
from coinfarm.training.batches import training_batches
from coinfarm.training.comparison import read_candidate_configs
from coinfarm.training.config import REFERENCE_NETWORK, DateRange, NetworkConfig, TrainingConfig
from coinfarm.training.dataset import WindowDataset, build_dataset
from coinfarm.training.devices import Devices
from coinfarm.training.network import build_network
from coinfarm.training.stratified_sampling import StratifiedSampler, assign_strata
from coinfarm.training.training_model import training_model

_CANDLES = 20_000
_STEPS = 10
_BATCH = 128
_ROUNDS = 3


@dataclass(frozen=True)
class TrainingSpeed:
    """The best of several rounds. The processor's time per frame depends less on what else runs."""

    name: str
    frames_per_s: float
    cpu_ms_per_frame: float


def training_speeds(steps: int = _STEPS, rounds: int = _ROUNDS, batch_size: int = _BATCH) -> list[TrainingSpeed]:
    """0.1.0's network first, from pixels in float32; then the default network, as `coinfarm train` trains it."""
    candidates = read_candidate_configs(TRAINING / "candidates.toml")
    config = next(iter(candidates.values())).model_copy(update={"steps_per_epoch": steps, "batch_size": batch_size})
    dataset = _dataset(bench_candles(_CANDLES)[0])
    trained = {
        "0.1.0": _trainer(config, candidates["strided"].network, Devices(policy="float32"), dataset),
        "now": _trainer(config, REFERENCE_NETWORK, Devices.available(), dataset),
    }
    frames = steps * batch_size
    timings: dict[str, list[tuple[float, float]]] = {name: [] for name in trained}
    for _ in range(rounds):
        for name, train in trained.items():
            wall, cpu = time.perf_counter(), time.process_time()
            train()
            timings[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return [
        TrainingSpeed(name, frames / min(wall for wall, _ in taken), 1e3 * min(cpu for _, cpu in taken) / frames)
        for name, taken in timings.items()
    ]


def _dataset(candles: Candles) -> WindowDataset:
    first, last = (np.datetime64(int(candles.open_time[at]), "ms").astype("datetime64[D]") for at in (0, -1))
    return build_dataset([candles], DateRange(start=first.item(), stop=(last + 1).item()), horizons=(30,))


def _trainer(config: TrainingConfig, network: NetworkConfig, devices: Devices, dataset: WindowDataset) -> Callable[[], Any]:
    """A function that trains one epoch; the first call, which compiles, is already made."""
    config = config.model_copy(update={"network": network})
    mean, deviation = dataset.target_mean_and_deviation(config.target_unit)
    sampler = StratifiedSampler.from_strata(assign_strata(dataset), dataset.intervals, config.balance)
    with devices.scope():
        model = training_model(build_network(network, mean), config, deviation, devices)

    def train() -> None:
        with devices.scope():
            batches = training_batches(config, dataset, sampler, first_epoch=0)
            model.fit(batches, steps_per_epoch=config.steps_per_epoch, shuffle=False, verbose=0)

    train()
    return train


def training_table(speeds: list[TrainingSpeed]) -> Table:
    """The speeds, and how many times as fast as the first."""
    table = numeric_table("Training", "", "frames/s", "× 0.1.0", "CPU ms/frame", "0.1.0's / this")
    for speed in speeds:
        table.add_row(
            speed.name,
            f"{speed.frames_per_s:,.0f}",
            f"{speed.frames_per_s / speeds[0].frames_per_s:.2f}",
            f"{speed.cpu_ms_per_frame:.2f}",
            f"{speeds[0].cpu_ms_per_frame / speed.cpu_ms_per_frame:.2f}",
        )
    return table


def main() -> None:
    """Measure, and print the table."""
    console = Console(width=120)
    console.print(", ".join(f"{name} {value}" for name, value in machine("keras", "tensorflow-cpu").items()))
    console.print(training_table(training_speeds()))


if __name__ == "__main__":
    sys.exit(main())
