"""One shard's work, from the candles of a store to a result under its key."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coinfarm.backfill.job_runner import run_jobs
from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_job import ShardJob
from coinfarm.backfill.shard_result import ShardCounts, read_result
from coinfarm.candle_store.snapshot import CandleStoreSnapshot
from coinfarm.errors import CandleError, Unavailable
from coinfarm.prediction.predictor import Predictor
from coinfarm.storage import Storage, open_storage
from coinfarm.storage.folder import FolderStorage
from tests.support.candle_stores import FIRST_DAY, store_history, stored, stored_with_partial_days, synthetic_history
from tests.support.pixel_engine import PixelEngine, loaded

SECOND_DAY = date(2026, 1, 2)


@pytest.fixture
def engine() -> PixelEngine:
    return PixelEngine()


@pytest.fixture
def predictor(engine: PixelEngine, tmp_path: Path) -> Predictor:
    return Predictor(loaded(tmp_path / "model", engine), max_batch=100)


@pytest.fixture
def results(tmp_path: Path) -> Storage:
    return open_storage(str(tmp_path / "results"))


@pytest.fixture
def history(tmp_path: Path) -> CandleStoreSnapshot:
    """Two days of hours, ninety of minutes missing on the second."""
    hours = synthetic_history(20, interval="1h", symbol="DEMOETH")
    return CandleStoreSnapshot(stored(tmp_path / "store", synthetic_history(2, missing=range(2000, 2150)), hours))


def jobs(history: CandleStoreSnapshot, results: Storage, predictor: Predictor, *shards: Shard) -> list[tuple[Shard, ShardJob]]:
    return [(shard, ShardJob(shard, predictor.model.version, history, results)) for shard in shards]


def done(predictor: Predictor, named: list[tuple[Shard, ShardJob]]) -> dict[Shard, Exception | None]:
    outcomes: dict[Shard, Exception | None] = {}
    run_jobs(named, predictor, lambda shard, error: outcomes.update({shard: error}))
    return outcomes


def test_a_result_lies_under_the_key_that_says_all_and_accounts_for_every_window(
    history: CandleStoreSnapshot, results: Storage, predictor: Predictor
) -> None:
    shard = Shard("DEMOUSD", "1m", SECOND_DAY)
    assert done(predictor, jobs(history, results, predictor, shard)) == {shard: None}
    version = predictor.model.version
    assert list(results.list()) == [f"predictions/model={version}/symbol=DEMOUSD/interval=1m/date=2026-01-02.parquet"]
    result = read_result(shard, version, results)
    assert result is not None
    # of 150 missing minutes windows have more than a hundred from the 101st on, until the last of them is the 100th of a window
    assert result.counts == ShardCounts(requested=1440, predicted=1440 - 149, mostly_filled=149, too_few_before=0, no_candles=0)
    assert int(np.isnan(result.table["max_rise_pct"].to_numpy()).sum()) == 149
    assert result.table["close_time"].to_pylist() == list(range(shard.start_ms + 59_999, shard.stop_ms, 60_000))


def test_a_stride_is_part_of_the_key() -> None:
    assert Shard("DEMOUSD", "1m", FIRST_DAY, 60).key("bare-00000000") == (
        "predictions/model=bare-00000000/stride=60/symbol=DEMOUSD/interval=1m/date=2026-01-01.parquet"
    )


def test_a_day_without_candles_leaves_an_empty_result_that_says_why(
    history: CandleStoreSnapshot, results: Storage, predictor: Predictor, engine: PixelEngine
) -> None:
    shard = Shard("DEMOUSD", "1m", date(2026, 1, 7))
    assert done(predictor, jobs(history, results, predictor, shard)) == {shard: None}
    result = read_result(shard, predictor.model.version, results)
    assert result is not None
    assert (len(result.table), result.counts) == (0, ShardCounts(1440, 0, 0, 0, no_candles=1440))
    full = done(predictor, jobs(history, results, predictor, other := Shard("DEMOUSD", "1m", FIRST_DAY)))
    assert full == {other: None}
    found = read_result(other, predictor.model.version, results)
    assert found is not None
    assert found.table.schema.types == result.table.schema.types, "or a dataset of both cannot be read"


def test_what_is_done_is_left_as_it_is_without_engine_work(
    history: CandleStoreSnapshot, results: Storage, predictor: Predictor, engine: PixelEngine, tmp_path: Path
) -> None:
    shard = Shard("DEMOUSD", "1m", FIRST_DAY)
    done(predictor, jobs(history, results, predictor, shard))
    path = tmp_path / "results" / shard.key(predictor.model.version)
    written, calls = path.stat().st_mtime_ns, len(engine.calls)
    assert done(predictor, jobs(history, results, predictor, shard)) == {shard: None}
    assert (path.stat().st_mtime_ns, len(engine.calls)) == (written, calls)


def test_a_result_of_other_candles_than_there_are_now_is_made_anew(results: Storage, predictor: Predictor, tmp_path: Path) -> None:
    """The first day is stored in part, and grows: the second one's first windows begin in it."""
    first, second = Shard("DEMOUSD", "1m", FIRST_DAY), Shard("DEMOUSD", "1m", SECOND_DAY)
    candles = synthetic_history(2)
    part = stored_with_partial_days(tmp_path / "part", candles[:1300])
    store_history(part, candles[1440:])
    done(predictor, jobs(CandleStoreSnapshot(part), results, predictor, first, second))
    store_history(part, candles)
    assert not any(job.is_done() for _, job in jobs(CandleStoreSnapshot(part), results, predictor, first, second))
    done(predictor, jobs(CandleStoreSnapshot(part), results, predictor, first, second))

    whole, peace = stored(tmp_path / "whole", candles), open_storage(str(tmp_path / "in peace"))
    done(predictor, jobs(CandleStoreSnapshot(whole), peace, predictor, first, second))
    for shard in (first, second):
        key = shard.key(predictor.model.version)
        assert results.read(key).data == peace.read(key).data
    assert all(job.is_done() for _, job in jobs(CandleStoreSnapshot(part), results, predictor, first, second))


def test_a_result_whose_candles_are_gone_stays(
    history: CandleStoreSnapshot, results: Storage, predictor: Predictor, tmp_path: Path
) -> None:
    shard = Shard("DEMOUSD", "1m", FIRST_DAY)
    done(predictor, jobs(history, results, predictor, shard))
    ((_, job),) = jobs(CandleStoreSnapshot(open_storage(str(tmp_path / "nowhere"))), results, predictor, shard)
    assert job.is_done()


def test_a_result_that_does_not_tell_of_its_candles_stays(results: Storage, predictor: Predictor, tmp_path: Path) -> None:
    """Those made before results told of them."""
    shard, key = Shard("DEMOUSD", "1m", FIRST_DAY), Shard("DEMOUSD", "1m", FIRST_DAY).key(predictor.model.version)
    part = stored_with_partial_days(tmp_path / "part", synthetic_history(1)[:1300])
    done(predictor, jobs(CandleStoreSnapshot(part), results, predictor, shard))
    table = pq.read_table(pa.BufferReader(results.read(key).data))
    metadata = {name: value for name, value in table.schema.metadata.items() if name != b"candles"}
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(metadata), sink, write_page_checksum=True)
    results.write(key, bytes(sink.getvalue()))
    store_history(part, synthetic_history(1))
    ((_, job),) = jobs(CandleStoreSnapshot(part), results, predictor, shard)
    assert job.is_done()


def changed(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[:1000], id="cut short"),
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: b"hello", id="something else"),
        pytest.param(changed, id="a bit flipped in its middle"),
    ],
)
def test_a_damaged_result_is_none_and_is_made_anew(
    damage: Any, history: CandleStoreSnapshot, results: Storage, predictor: Predictor
) -> None:
    shard = Shard("DEMOUSD", "1m", FIRST_DAY)
    version = predictor.model.version
    done(predictor, jobs(history, results, predictor, shard))
    whole = results.read(shard.key(version)).data
    results.write(shard.key(version), damage(whole))
    assert read_result(shard, version, results) is None
    done(predictor, jobs(history, results, predictor, shard))
    assert results.read(shard.key(version)).data == whole, "the same bytes, whoever made them and when"


def test_the_result_of_another_shard_is_none(history: CandleStoreSnapshot, results: Storage, predictor: Predictor) -> None:
    first, second = Shard("DEMOUSD", "1m", FIRST_DAY), Shard("DEMOUSD", "1m", SECOND_DAY)
    version = predictor.model.version
    done(predictor, jobs(history, results, predictor, first, second))
    results.write(second.key(version), results.read(first.key(version)).data)
    assert read_result(second, version, results) is None


def test_shards_share_the_batches_of_the_engine(
    history: CandleStoreSnapshot, results: Storage, predictor: Predictor, engine: PixelEngine
) -> None:
    hours = [Shard("DEMOETH", "1h", date(2026, 1, day)) for day in range(10, 20)]
    assert set(done(predictor, jobs(history, results, predictor, *hours)).values()) == {None}
    assert engine.calls == [100, 100, 40]


def test_one_bad_shard_does_not_fail_its_neighbours_and_leaves_a_note_of_why(
    history: CandleStoreSnapshot, results: Storage, predictor: Predictor, tmp_path: Path
) -> None:
    store = open_storage(str(tmp_path / "store"))
    store.write("candles/symbol=DEMOETH/interval=1h/date=2026-01-01.parquet", b"no Parquet")
    good, bad = Shard("DEMOUSD", "1m", FIRST_DAY), Shard("DEMOETH", "1h", FIRST_DAY)
    outcomes = done(predictor, jobs(history, results, predictor, bad, good))
    assert outcomes[good] is None
    assert isinstance(outcomes[bad], CandleError)
    note = json.loads(results.read(bad.failure_key(predictor.model.version)).data)
    assert "date=2026-01-01.parquet" in note["reason"]
    assert bad.failure_key("V") == "failures/model=V/symbol=DEMOETH/interval=1h/date=2026-01-01.json"


def test_a_shard_is_settled_only_after_its_result_is_written(
    history: CandleStoreSnapshot, results: Storage, predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = FolderStorage.write

    def refuse_the_second(self: FolderStorage, key: str, *arguments: Any, **options: Any) -> str:
        if "2026-01-02" in key:
            raise Unavailable("the disk is full")
        return write(self, key, *arguments, **options)

    monkeypatch.setattr(FolderStorage, "write", refuse_the_second)
    first, second = Shard("DEMOUSD", "1m", FIRST_DAY), Shard("DEMOUSD", "1m", SECOND_DAY)
    outcomes = done(predictor, jobs(history, results, predictor, first, second))
    assert outcomes[first] is None
    assert isinstance(outcomes[second], Unavailable)


def test_when_the_work_is_stopped_what_is_answered_is_written_and_the_rest_is_not_settled(
    history: CandleStoreSnapshot, results: Storage, predictor: Predictor, engine: PixelEngine
) -> None:
    class Stop(Exception):
        pass

    def stop_in_the_second() -> None:
        if len(engine.calls) == 14:
            raise Stop

    predictor = replace(predictor, before_batch=stop_in_the_second)
    shards = [Shard("DEMOUSD", "1m", FIRST_DAY), Shard("DEMOUSD", "1m", SECOND_DAY)]
    outcomes: dict[Shard, Exception | None] = {}
    with pytest.raises(Stop):
        run_jobs(jobs(history, results, predictor, *shards), predictor, lambda shard, error: outcomes.update({shard: error}))
    assert outcomes == {shards[0]: None}
    assert [read_result(shard, predictor.model.version, results) is None for shard in shards] == [False, True]


def test_the_columns_are_those_of_every_answer(
    history: CandleStoreSnapshot, results: Storage, predictor: Predictor, tmp_path: Path
) -> None:
    shard = Shard("DEMOUSD", "1m", FIRST_DAY)
    done(predictor, jobs(history, results, predictor, shard))
    table = pq.read_table(tmp_path / "results" / shard.key(predictor.model.version), partitioning=None)
    assert table.column_names == [
        "open_time",
        "close_time",
        "in_sample",
        "filled_candles",
        "max_rise_pct",
        "max_decline_pct",
        "end_change_pct",
    ]
    assert json.loads(table.schema.metadata[b"model"])["engine"] == "pixels"
