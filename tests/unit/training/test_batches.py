from functools import partial
from pathlib import Path

import numpy as np
import pytest

from coinfarm.candles.synthetic import generate
from coinfarm.training.batches import training_batch
from coinfarm.training.config import DateRange
from coinfarm.training.dataset import WindowDataset, build_dataset
from coinfarm.training.stratified_sampling import StratifiedSampler, assign_strata
from image_render.rows import pack_rows
from tests.support.synthetic_candles import START_MS
from tests.support.tiny_training import training_config

config = partial(training_config, Path("DEMO-1h.parquet"))
JANUARY = DateRange.model_validate({"start": "2020-01-01", "stop": "2020-01-31"})


@pytest.fixture(scope="module")
def dataset() -> WindowDataset:
    return build_dataset([generate("DEMO", "1h", START_MS, 720, seed=1)], JANUARY, (30,))


@pytest.fixture(scope="module")
def sampler(dataset: WindowDataset) -> StratifiedSampler:
    return StratifiedSampler.from_strata(assign_strata(dataset), dataset.intervals, 0.5)


def test_repeats_a_batch_exactly(dataset: WindowDataset, sampler: StratifiedSampler) -> None:
    first, repeated = (training_batch(config(), dataset, sampler, 3, 5) for _ in range(2))
    for found, expected in zip(repeated, first, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("seed", "epoch", "step"), [(2, 3, 5), (1, 4, 5), (1, 3, 6)], ids=["seed", "epoch", "step"])
def test_seed_epoch_and_step_change_the_batch(dataset: WindowDataset, sampler: StratifiedSampler, seed: int, epoch: int, step: int) -> None:
    other = training_batch(config(seed=seed), dataset, sampler, epoch, step)
    assert (other[1] != training_batch(config(seed=1), dataset, sampler, 3, 5)[1]).any()


def test_rows_and_targets_belong_to_the_same_windows(dataset: WindowDataset, sampler: StratifiedSampler) -> None:
    rows, targets = training_batch(config(target_unit="percent"), dataset, sampler, 0, 0)
    every = pack_rows(dataset.windows(np.arange(len(dataset))))
    for row, target in zip(rows, targets, strict=True):
        same = (every == row).all(axis=(1, 2))
        assert target.tolist() in dataset.targets_pct[same].astype(np.float32).tolist()


def test_flips_half_of_a_batch(dataset: WindowDataset, sampler: StratifiedSampler) -> None:
    plain, flipped = (training_batch(config(mirrored=mirrored, batch_size=200), dataset, sampler, 0, 0) for mirrored in (False, True))
    changed = (plain[1] != flipped[1]).any(axis=1)
    assert 70 < changed.sum() < 130
    np.testing.assert_array_equal(flipped[1][changed, 2], -plain[1][changed, 2])
    np.testing.assert_array_equal(flipped[0][changed][..., 1], 149 - plain[0][changed][..., 0])
