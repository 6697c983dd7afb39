"""Candles on disk: the same as in memory, in a fraction of it."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from coinfarm.candles.candles import Candles
from coinfarm.candles.gaps import fill_gaps
from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.errors import CoinfarmError
from coinfarm.training.candle_arrays import mapped_candles
from coinfarm.training.config import DateRange
from coinfarm.training.dataset import build_dataset
from coinfarm.training.stratified_sampling import StratifiedSampler, assign_strata
from image_render.windows import Columns
from tests.support.synthetic_candles import START_MS, assert_same_candles, minutes

FEBRUARY = DateRange.model_validate({"start": "2020-01-01", "stop": "2020-02-01"})


def written(candles: Candles, folder: Path) -> Path:
    path = folder / "DEMOUSD-1m.parquet"
    path.write_bytes(parquet_from_candles(candles))
    return path


@pytest.mark.parametrize("missing", [[], [1, 9, 10, 11, 12, 39, 40, 95]], ids=["unbroken", "holes where parts meet"])
def test_candles_read_in_parts_are_those_read_at_once(tmp_path: Path, missing: list[int]) -> None:
    candles = minutes(100, missing=missing)
    mapped = mapped_candles(written(candles, tmp_path), tmp_path / "mapped", candles_at_once=10)
    assert_same_candles(mapped, fill_gaps(candles, 100))


def test_files_that_are_no_parquet_are_mapped_as_well(tmp_path: Path) -> None:
    path = tmp_path / "DEMOUSD-1m.csv"
    path.write_text(f"open_time,open,high,low,close,volume\n{START_MS},1,2,1,2,0\n")
    assert mapped_candles(path, tmp_path / "mapped").columns.close.tolist() == [2.0]


def spoiled(at: int) -> Candles:
    candles = minutes(40)
    columns = Columns(*(column.copy() for column in candles.columns))
    columns.high[at] = -1.0
    return Candles(candles.symbol, candles.interval, candles.open_time, columns, candles.filled)


def turned() -> Candles:
    candles = minutes(40)
    order = np.r_[0:10, 9:39]
    return Candles(candles.symbol, candles.interval, candles.open_time[order], candles.columns, candles.filled)


@pytest.mark.parametrize(
    ("candles", "message"),
    [
        pytest.param(spoiled(7), "/candles/7/high: must be a finite price", id="first part"),
        pytest.param(spoiled(27), "/candles/27/high: must be a finite price", id="a later part"),
        pytest.param(turned(), "/candles/10/openTime: is not later than the candle before it", id="where two parts meet"),
        pytest.param(minutes(1)[:0], "there is no candle", id="empty"),
    ],
)
def test_a_candle_at_fault_is_named_by_file_and_number(tmp_path: Path, candles: Candles, message: str) -> None:
    path = written(candles, tmp_path)
    with pytest.raises(CoinfarmError, match=f"DEMOUSD-1m.parquet: .*{message}"):
        mapped_candles(path, tmp_path / "mapped", candles_at_once=10)


@pytest.mark.parametrize(
    ("content", "message"),
    [pytest.param(None, "no such file", id="missing"), pytest.param(b"PAR", "is not a Parquet file", id="no Parquet")],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "DEMOUSD-1m.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CoinfarmError, match=f"DEMOUSD-1m.parquet: .*{message}"):
        mapped_candles(path, tmp_path / "mapped")


def test_samples_kept_in_files_are_those_in_memory(tmp_path: Path) -> None:
    candles = minutes(2_000, missing=range(300, 320))
    mapped = mapped_candles(written(candles, tmp_path), tmp_path / "mapped", candles_at_once=300)
    in_memory, on_disk = build_dataset([candles], FEBRUARY, 30), build_dataset([mapped], FEBRUARY, 30, folder=tmp_path / "samples")
    chosen = np.arange(0, len(in_memory), 100)
    np.testing.assert_array_equal(on_disk.frames(chosen), in_memory.frames(chosen))
    np.testing.assert_array_equal(on_disk.targets_pct, in_memory.targets_pct)
    np.testing.assert_array_equal(on_disk.range_pct, in_memory.range_pct)
    kept = assign_strata(on_disk, tmp_path / "strata.npy")
    np.testing.assert_array_equal(kept, assign_strata(in_memory))
    np.testing.assert_array_equal(StratifiedSampler.of(kept, 0.5, tmp_path / "order.npy").order, StratifiedSampler.of(kept, 0.5).order)


def test_data_larger_than_memory_needs_little_of_it(tmp_path: Path) -> None:
    """What Python and NumPy allocate; the files are mapped, so the system takes their pages back when it needs the allocate_array."""
    count = 400_000
    path = written(minutes(count), tmp_path)
    tracemalloc.start()
    try:
        mapped = mapped_candles(path, tmp_path / "mapped", candles_at_once=20_000)
        period = DateRange.model_validate({"start": "2020-01-01", "stop": "2021-01-01"})
        part = build_dataset([mapped], period, 30, folder=tmp_path / "samples")
        part.targets_mean_and_deviation("window_range")
        sampler = StratifiedSampler.of(assign_strata(part, tmp_path / "strata.npy"), 0.5, tmp_path / "order.npy")
        part.rows(sampler.choose(np.random.default_rng(1), 16))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    on_disk = sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())
    assert on_disk > 40_000_000
    assert peak < on_disk / 3
