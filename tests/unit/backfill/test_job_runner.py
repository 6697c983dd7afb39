"""Run jobs through a predictor."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from coinfarm.backfill.job_runner import run_jobs
from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_job import ShardJob
from coinfarm.backfill.shard_result import read_result
from coinfarm.candle_store.snapshot import CandleStoreSnapshot
from coinfarm.errors import CandleError, Unavailable
from coinfarm.prediction.predictor import Predictor
from coinfarm.storage import Storage
from coinfarm.storage.folder import FolderStorage
from tests.support.backfill_runs import run_shards
from tests.support.candle_stores import FIRST_DAY
from tests.support.pixel_engine import PixelEngine

FIRST, SECOND = Shard("DEMOUSD", "1m", FIRST_DAY), Shard("DEMOUSD", "1m", date(2026, 1, 2))


def test_jobs_share_the_batches_of_the_engine(candles: Storage, results: Storage, predictor: Predictor, engine: PixelEngine) -> None:
    shards = [Shard("DEMOETH", "1h", date(2026, 1, day)) for day in range(10, 20)]
    assert set(run_shards(predictor, candles, results, shards).values()) == {None}
    assert engine.calls == [100, 100, 40]


def test_failed_jobs_do_not_affect_others(
    candles: Storage, results: Storage, predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job is finished only after its result is written."""
    candles.write("candles/symbol=DEMOETH/interval=1h/date=2026-01-01.parquet", b"not Parquet")
    write = FolderStorage.write

    def fail_for_the_second(self: FolderStorage, key: str, *arguments: Any, **options: Any) -> str:
        if "2026-01-02" in key:
            raise Unavailable("the disk is full")
        return write(self, key, *arguments, **options)

    monkeypatch.setattr(FolderStorage, "write", fail_for_the_second)
    outcomes = run_shards(predictor, candles, results, [Shard("DEMOETH", "1h", FIRST_DAY), FIRST, SECOND])
    assert [type(error) for error in outcomes.values()] == [CandleError, type(None), Unavailable]


def test_interruption_writes_finished_predictions_and_reports_no_other_job(
    candles: Storage, results: Storage, predictor: Predictor, engine: PixelEngine
) -> None:
    def stop_in_the_second_shard() -> None:
        if len(engine.calls) == 14:
            raise KeyboardInterrupt

    predictor = replace(predictor, before_batch=stop_in_the_second_shard)
    store, version = CandleStoreSnapshot(candles), predictor.model.version
    outcomes: dict[Shard, Exception | None] = {}
    with pytest.raises(KeyboardInterrupt):
        run_jobs(
            [(shard, ShardJob(shard, version, store, results)) for shard in (FIRST, SECOND)],
            predictor,
            lambda shard, error: outcomes.update({shard: error}),
        )
    assert outcomes == {FIRST: None}
    assert [read_result(shard, version, results) is None for shard in (FIRST, SECOND)] == [False, True]
