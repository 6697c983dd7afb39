"""Join results, and account for every window."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from coinfarm.backfill.collect import collect
from coinfarm.backfill.run_manifest import Run
from coinfarm.candles.day import day_of
from coinfarm.errors import CoinfarmError, NotFound
from coinfarm.prediction.model_scope import UNKNOWN_SCOPE, ModelScope
from coinfarm.prediction.predictor import Predictor
from tests.support.backfill_runs import planned, run_shards
from tests.support.candle_stores import stored, synthetic_history
from tests.support.pixel_engine import PixelEngine, loaded

DAY = 1440


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of two symbols with a late start, gaps, a day without candles, and two days that were not processed."""
    folder = tmp_path_factory.mktemp("run")
    predictor = Predictor(loaded(folder / "model", PixelEngine()), max_batch=100)
    first = synthetic_history(5, start=1000, missing=[*range(2 * DAY, 3 * DAY), *range(3 * DAY + 500, 3 * DAY + 650)])
    second = synthetic_history(2, symbol="DEMOETH", seed=2)
    candles = stored(folder / "store", first, second)
    run = planned(
        folder / "run", candles, symbols=("DEMOUSD", "DEMOETH"), days=6, version=predictor.model.version, first_day=date(2025, 12, 31)
    )
    run_shards(predictor, candles, run.results, [shard for shard in run.manifest.shards() if shard.day != date(2026, 1, 2)])
    return run


NAMES = ("asked", "predicted", "mostlyFilled", "tooFewBefore", "noCandles", "missing")
# 241 after the late start; all of the fourth day but the first 99 windows and 149 at the gap; all of the fifth
USD = (6 * DAY, 241 + (DAY - 99 - 149) + DAY, 99 + 149, 199, DAY + 1000 + DAY, DAY)
ETH = (6 * DAY, DAY - 199, 0, 199, DAY + 3 * DAY, DAY)
EXPECTED = {symbol: dict(zip(NAMES, counts, strict=True)) for symbol, counts in (("DEMOUSD", USD), ("DEMOETH", ETH))}


def test_every_requested_window_is_counted_once(run: Run, tmp_path: Path) -> None:
    outcomes = collect(run, tmp_path / "all.parquet")
    assert {symbol: counts.document() for symbol, counts in outcomes.by_symbol().items()} == EXPECTED
    assert outcomes.total.document() == {name: sum(counts[name] for counts in EXPECTED.values()) for name in NAMES}
    assert all(counts.is_consistent for counts in [outcomes.total, *outcomes.by_symbol().values(), *outcomes.months.values()])
    assert [str(shard) for shard in outcomes.missing] == ["DEMOUSD 1m 2026-01-02", "DEMOETH 1m 2026-01-02"]
    december = json.loads(json.dumps(outcomes.document()))["months"][0]
    assert (december["month"], december["asked"], december["noCandles"]) == ("2025-12", DAY, DAY)


@pytest.mark.parametrize("name", ["all.parquet", "dataset"])
def test_files_say_the_horizon_of_the_model(run: Run, tmp_path: Path, name: str) -> None:
    collect(run, tmp_path / name)
    files = [tmp_path / name] if name.endswith(".parquet") else sorted((tmp_path / name).rglob("*.parquet"))
    assert files
    for file in files:
        assert ModelScope.from_metadata(pq.ParquetFile(file).read().schema.metadata) == ModelScope(30)


def test_results_of_older_releases_take_the_horizon_from_the_model_of_the_run(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ModelScope, "from_metadata", lambda *_: UNKNOWN_SCOPE)
    monkeypatch.setattr(Run, "scope", lambda _: ModelScope(30, "1m"))
    collect(run, tmp_path / "all.parquet")
    monkeypatch.undo()
    assert ModelScope.from_metadata(pq.ParquetFile(tmp_path / "all.parquet").read().schema.metadata) == ModelScope(30, "1m")


def test_one_file_is_ordered_by_symbol_and_time(run: Run, tmp_path: Path) -> None:
    outcomes = collect(run, tmp_path / "new/all.parquet")
    file = pq.ParquetFile(tmp_path / "new/all.parquet")
    table = file.read()
    assert table.column_names[:4] == ["symbol", "interval", "open_time", "close_time"]
    assert len(table) == outcomes.total.predicted + outcomes.total.mostly_filled
    for symbol, counts in EXPECTED.items():
        rows = table.filter(ds.field("symbol") == symbol)
        assert bool((np.diff(rows["close_time"].to_numpy()) > 0).all())
        assert int(np.isnan(rows["max_rise_pct"].to_numpy()).sum()) == counts["mostlyFilled"]
    assert file.metadata.num_row_groups == 2, "one per symbol and month"


def test_folder_is_a_hive_dataset(run: Run, tmp_path: Path) -> None:
    order = [("symbol", "ascending"), ("close_time", "ascending")]
    collect(run, tmp_path / "dataset")
    collect(run, tmp_path / "all.parquet")
    found = ds.dataset(tmp_path / "dataset", partitioning="hive").to_table().sort_by(order)
    expected = pq.read_table(tmp_path / "all.parquet").sort_by(order)
    assert sorted(path.name for path in (tmp_path / "dataset").rglob("*.parquet")) == ["2026-01.parquet"] * 2
    for name in expected.column_names:
        np.testing.assert_array_equal(found[name].to_numpy(zero_copy_only=False), expected[name].to_numpy(zero_copy_only=False))


def test_damaged_result_is_missing(run: Run, tmp_path: Path) -> None:
    shard = next(shard for shard in run.manifest.shards() if shard.day == date(2026, 1, 4))
    key = shard.key(run.manifest.model_version)
    undamaged = run.results.read(key).data
    run.results.write(key, undamaged[: len(undamaged) // 2])
    try:
        outcomes = collect(run, tmp_path / "all.parquet")
    finally:
        run.results.write(key, undamaged)
    assert shard in outcomes.missing
    assert outcomes.total.is_consistent
    days = {day_of(time) for time in pq.read_table(tmp_path / "all.parquet")["close_time"].to_pylist()}
    assert shard.day not in days


def test_folder_that_is_not_empty_is_not_changed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CoinfarmError, match="not empty"):
        collect(run, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("output", ["all.parquet", "dataset"])
def test_interruption_leaves_no_file(run: Run, tmp_path: Path, output: str) -> None:
    calls = []

    def interrupt(*done_and_total: int) -> None:
        calls.append(done_and_total)
        if len(calls) == 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(run, tmp_path / output, interrupt)
    assert calls == [(done, 12) for done in range(1, 10)]
    assert list(tmp_path.iterdir()) == []


def test_run_without_results_is_empty_and_without_any_candles_an_error(tmp_path: Path) -> None:
    predictor = Predictor(loaded(tmp_path / "model", PixelEngine()), max_batch=100)
    candles = stored(tmp_path / "store", synthetic_history(1))
    run = planned(tmp_path / "run", candles, days=1, version=predictor.model.version)
    outcomes = collect(run, tmp_path / "empty.parquet")
    assert (outcomes.total.missing, len(pq.read_table(tmp_path / "empty.parquet"))) == (DAY, 0)
    earlier = run.manifest.model_copy(update={"from_date": date(2025, 1, 1), "to_date": date(2025, 1, 3)})
    (tmp_path / "run/manifest.json").write_text(earlier.model_dump_json(by_alias=True))
    run = Run(run.storage)
    run_shards(predictor, candles, run.results, run.manifest.shards())
    with pytest.raises(NotFound, match=r"2025-01-01.*DEMOUSD 1m from 2026-01-01 to 2026-01-01"):
        collect(run, tmp_path / "all.parquet")
    assert not (tmp_path / "all.parquet").exists()
