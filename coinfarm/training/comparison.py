"""Comparison of candidates: several networks or targets, trained with the same budget and evaluated on the same validation period."""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.documents import translate_validation_errors
from coinfarm.errors import CoinfarmError
from coinfarm.evaluation.metrics import scores
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.storage.local_file import write_file
from coinfarm.training.architecture import architecture
from coinfarm.training.config import TrainingConfig, read_toml
from coinfarm.training.dataset import WindowDataset, build_dataset
from coinfarm.training.loop import OnEpoch, predict_pct, train_network


class CandidateResult(BaseModel):
    """A candidate's scores on the validation period; `loss` is the Huber loss in `window_range` units, regardless of the target unit.

    Of several horizons, the loss is over all, `r2` and `direction_right_pct` those of the first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidate: str
    layers: int
    parameters: int
    multiply_adds: int
    target_unit: str
    mirrored: bool
    trained_frames: int
    seconds: float
    loss: float
    r2: dict[str, float | None]
    direction_right_pct: float | None


class _ComparisonConfig(BaseModel):
    """A TOML file: `base` is another training config, `budget` overrides it for all candidates, and each candidate overrides both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: Path
    budget: dict[str, object] = {}
    candidates: Annotated[dict[str, dict[str, object]], Field(min_length=1)]


def read_candidate_configs(path: Path) -> dict[str, TrainingConfig]:
    """The training config of each candidate, by name. Raises `CoinfarmError` that names the invalid field."""
    document = read_toml(path)
    with translate_validation_errors(str(path), CoinfarmError):
        comparison = _ComparisonConfig.model_validate(document)
    base = path.parent / comparison.base
    shared = read_toml(base) | comparison.budget
    return {
        name: TrainingConfig.parse(shared | {"name": name} | overrides, base, f"{path}: {name}")
        for name, overrides in comparison.candidates.items()
    }


def compare_candidates(
    configs: dict[str, TrainingConfig], coins: list[Candles], results_file: Path, on_epoch: OnEpoch
) -> Iterator[CandidateResult]:
    """Train and evaluate the candidates one after another. Results that the file already has are reused, others are added to it."""
    results = {result.candidate: result for result in read_candidate_results(results_file)}
    for name, config in configs.items():
        if name not in results:
            results[name] = _train_candidate(config, coins, on_epoch)
            _write(list(results.values()), results_file)
        yield results[name]


def read_candidate_results(path: Path) -> list[CandidateResult]:
    """The results in a file that `compare_candidates` wrote; an empty list if it does not exist."""
    if not path.exists():
        return []
    return [CandidateResult.model_validate(entry) for entry in json.loads(path.read_bytes())]


def _write(results: list[CandidateResult], path: Path) -> None:
    write_file(path, json.dumps([result.model_dump() for result in results], indent=1) + "\n")


def _train_candidate(config: TrainingConfig, coins: list[Candles], on_epoch: OnEpoch) -> CandidateResult:
    train = build_dataset(coins, config.train, config.horizons)
    validation = build_dataset(coins, config.validation, config.horizons, config.validation_stride)
    started = perf_counter()
    with TemporaryDirectory() as folder:
        model = train_network(config, train, validation, Path(folder), on_epoch)
    seconds = perf_counter() - started
    layers = architecture(model)
    predicted_pct = predict_pct(model, validation, config.target_unit)
    result = scores(predicted_pct, validation.targets_pct)
    return CandidateResult(
        candidate=config.name,
        layers=len(layers),
        parameters=sum(layer.parameters for layer in layers),
        multiply_adds=sum(layer.multiply_adds for layer in layers),
        target_unit=config.target_unit,
        mirrored=config.mirrored,
        trained_frames=config.epochs * config.steps_per_epoch * config.batch_size,
        seconds=round(seconds, 1),
        loss=round(_loss_in_range(predicted_pct, validation, train, config.huber_delta), 5),
        r2={name: result[name]["r2"] for name in OUTPUT_NAMES},
        direction_right_pct=result["endChangePct"]["directionRightPct"],
    )


def _loss_in_range(predicted_pct: Values, validation: WindowDataset, train: WindowDataset, delta: float) -> float:
    """The Huber loss of a `window_range` target, so that candidates with other targets can be compared."""
    error = (predicted_pct - validation.targets_pct) / validation.range_pct[:, None]
    deviations = np.abs(error) / train.targets("window_range").std(axis=0)
    quadratic = np.minimum(deviations, delta)
    return float((0.5 * quadratic**2 + delta * (deviations - quadratic)).mean())
