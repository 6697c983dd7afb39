import tracemalloc
from collections.abc import Sequence
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


@pytest.mark.parametrize("missing", [[], [1, 9, 10, 11, 12, 39, 40, 95]], ids=["no gaps", "gaps between parts"])
def test_reads_the_same_candles_in_parts(tmp_path: Path, missing: list[int]) -> None:
    candles = minutes(100, missing=missing)
    mapped = mapped_candles(written(candles, tmp_path), tmp_path / "mapped", candles_at_once=10)
    assert_same_candles(mapped, fill_gaps(candles, 100))


def test_maps_csv_files(tmp_path: Path) -> None:
    path = tmp_path / "DEMOUSD-1m.csv"
    path.write_text(f"open_time,open,high,low,close,volume\n{START_MS},1,2,1,2,0\n")
    assert mapped_candles(path, tmp_path / "mapped").columns.close.tolist() == [2.0]


@pytest.mark.parametrize(
    ("positions", "pointer"),
    [
        pytest.param(range(20, 30), "/candles/7/high", id="first part"),
        pytest.param(range(40), "/candles/27/high", id="a later part"),
        pytest.param([*range(10), *range(9, 20)], "/candles/10/openTime", id="between two parts"),
        pytest.param([], "", id="empty"),
    ],
)
def test_names_the_file_and_pointer_of_an_invalid_candle(tmp_path: Path, positions: Sequence[int], pointer: str) -> None:
    candles, at = minutes(40), np.array(positions, np.intp)
    candles.columns.high[27] = -1.0
    columns = Columns(*(column[at] for column in candles.columns))
    path = written(Candles(candles.symbol, candles.interval, candles.open_time[at], columns, candles.filled[at]), tmp_path)
    with pytest.raises(CoinfarmError, match=f"DEMOUSD-1m.parquet: .*{pointer}"):
        mapped_candles(path, tmp_path / "mapped", candles_at_once=10)


@pytest.mark.parametrize("content", [pytest.param(None, id="missing"), pytest.param(b"PAR", id="not Parquet")])
def test_names_an_unreadable_file(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "DEMOUSD-1m.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CoinfarmError, match=r"DEMOUSD-1m\.parquet: "):
        mapped_candles(path, tmp_path / "mapped")


def test_a_dataset_in_files_equals_one_in_memory(tmp_path: Path) -> None:
    candles = minutes(2_000, missing=range(300, 320))
    mapped = mapped_candles(written(candles, tmp_path), tmp_path / "mapped", candles_at_once=300)
    in_memory, on_disk = build_dataset([candles], FEBRUARY, (30,)), build_dataset([mapped], FEBRUARY, (30,), folder=tmp_path / "samples")
    chosen = np.arange(0, len(in_memory), 100)
    np.testing.assert_array_equal(on_disk.frames(chosen), in_memory.frames(chosen))
    np.testing.assert_array_equal(on_disk.targets_pct, in_memory.targets_pct)
    np.testing.assert_array_equal(on_disk.range_pct, in_memory.range_pct)
    stored = assign_strata(on_disk, tmp_path / "strata.npy")
    np.testing.assert_array_equal(stored, assign_strata(in_memory))
    orders = [StratifiedSampler.from_strata(stored, in_memory.intervals, 0.5, path).order for path in (tmp_path / "order.npy", None)]
    np.testing.assert_array_equal(*orders)


def test_a_dataset_in_files_needs_little_memory(tmp_path: Path) -> None:
    """Only allocations by Python and NumPy are counted: the system can reclaim the pages of mapped files."""
    path = written(minutes(150_000), tmp_path)
    tracemalloc.start()
    try:
        mapped = mapped_candles(path, tmp_path / "mapped", candles_at_once=10_000)
        period = DateRange.model_validate({"start": "2020-01-01", "stop": "2021-01-01"})
        dataset = build_dataset([mapped], period, (30,), folder=tmp_path / "samples")
        dataset.target_mean_and_deviation("window_range")
        sampler = StratifiedSampler.from_strata(
            assign_strata(dataset, tmp_path / "strata.npy"), dataset.intervals, 0.5, tmp_path / "order.npy"
        )
        dataset.rows(sampler.sample(np.random.default_rng(1), 16))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    on_disk = sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())
    assert on_disk > 15_000_000
    assert peak < on_disk / 3
