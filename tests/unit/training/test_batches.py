"""Batches that depend on seed, epoch and step alone."""

from pathlib import Path

import numpy as np
import pytest

from coinfarm.candles.synthetic import generate
from coinfarm.training.batches import training_batch
from coinfarm.training.config import DateRange, TrainingConfig
from coinfarm.training.dataset import WindowDataset, build_dataset
from coinfarm.training.stratified_sampling import StratifiedSampler, assign_strata
from image_render.rows import pack_rows
from tests.support.synthetic_candles import START_MS

JANUARY = DateRange.model_validate({"start": "2020-01-01", "stop": "2020-01-31"})


def config(**fields: object) -> TrainingConfig:
    periods = {
        name: {"start": f"20{year}-01-01", "stop": f"20{year}-02-01"} for name, year in zip(("train", "validation", "test"), (20, 21, 22))
    }
    return TrainingConfig.model_validate({"name": "tiny", "candles": [Path("DEMO-1h.parquet")], "batch_size": 16, **periods, **fields})


@pytest.fixture(scope="module")
def part() -> WindowDataset:
    return build_dataset([generate("DEMO", "1h", START_MS, 720, seed=1)], JANUARY, 30)


@pytest.fixture(scope="module")
def sampler(part: WindowDataset) -> StratifiedSampler:
    return StratifiedSampler.of(assign_strata(part), 0.5)


def test_the_same_step_is_the_same_batch(part: WindowDataset, sampler: StratifiedSampler) -> None:
    for first, again in zip(training_batch(config(), part, sampler, 3, 5), training_batch(config(), part, sampler, 3, 5), strict=True):
        np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize(
    ("seed", "epoch", "step"), [pytest.param(2, 3, 5, id="seed"), pytest.param(1, 4, 5, id="epoch"), pytest.param(1, 3, 6, id="step")]
)
def test_another_seed_epoch_or_step_is_another_batch(
    part: WindowDataset, sampler: StratifiedSampler, seed: int, epoch: int, step: int
) -> None:
    other = training_batch(config(seed=seed), part, sampler, epoch, step)
    assert (other[1] != training_batch(config(seed=1), part, sampler, 3, 5)[1]).any()


def test_rows_and_targets_are_those_of_the_same_windows(part: WindowDataset, sampler: StratifiedSampler) -> None:
    rows, targets = training_batch(config(target_unit="percent"), part, sampler, 0, 0)
    every = pack_rows(part.windows(np.arange(len(part))))
    for row, target in zip(rows, targets, strict=True):
        same = (every == row).all(axis=(1, 2))
        assert target.tolist() in part.targets_pct[same].astype(np.float32).tolist()


def test_mirrored_half_of_a_batch_is_upside_down(part: WindowDataset, sampler: StratifiedSampler) -> None:
    plain, mirrored = (training_batch(config(mirrored=turned, batch_size=200), part, sampler, 0, 0) for turned in (False, True))
    turned = (plain[1] != mirrored[1]).any(axis=1)
    assert 70 < turned.sum() < 130
    np.testing.assert_array_equal(mirrored[1][turned, 2], -plain[1][turned, 2])
    np.testing.assert_array_equal(mirrored[0][turned][..., 1], 149 - plain[0][turned][..., 0])
