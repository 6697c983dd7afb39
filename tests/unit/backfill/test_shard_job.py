"""The job of a shard: when it is done already, and its failure note."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_job import ShardJob
from coinfarm.candle_store.snapshot import CandleStoreSnapshot
from coinfarm.prediction.predictor import Predictor
from coinfarm.storage import Storage, open_storage
from tests.support.backfill_runs import run_shards
from tests.support.candle_stores import FIRST_DAY, store_history, stored, stored_with_partial_days, synthetic_history
from tests.support.pixel_engine import PixelEngine

FIRST, SECOND = Shard("DEMOUSD", "1m", FIRST_DAY), Shard("DEMOUSD", "1m", date(2026, 1, 2))


def is_done(shard: Shard, predictor: Predictor, candles: Storage, results: Storage) -> bool:
    return ShardJob(shard, predictor.model.version, CandleStoreSnapshot(candles), results).is_done()


def test_existing_result_is_kept_without_prediction(
    candles: Storage, results: Storage, predictor: Predictor, engine: PixelEngine, tmp_path: Path
) -> None:
    run_shards(predictor, candles, results, [FIRST])
    path = tmp_path / "results" / FIRST.key(predictor.model.version)
    written, calls = path.stat().st_mtime_ns, len(engine.calls)
    assert run_shards(predictor, candles, results, [FIRST]) == {FIRST: None}
    assert (path.stat().st_mtime_ns, len(engine.calls)) == (written, calls)


def test_result_of_other_candles_is_replaced(results: Storage, predictor: Predictor, tmp_path: Path) -> None:
    """The first day is partial, and grows. The first windows of the second day begin in it."""
    history = synthetic_history(2)
    growing = stored_with_partial_days(tmp_path / "growing", history[:1300])
    store_history(growing, history[1440:])
    run_shards(predictor, growing, results, [FIRST, SECOND])
    store_history(growing, history)
    assert not any(is_done(shard, predictor, growing, results) for shard in (FIRST, SECOND))
    run_shards(predictor, growing, results, [FIRST, SECOND])

    complete, expected = stored(tmp_path / "complete", history), open_storage(str(tmp_path / "expected"))
    run_shards(predictor, complete, expected, [FIRST, SECOND])
    for shard in (FIRST, SECOND):
        key = shard.key(predictor.model.version)
        assert results.read(key).data == expected.read(key).data
        assert is_done(shard, predictor, growing, results)


def test_result_without_a_digest_is_kept(results: Storage, predictor: Predictor, tmp_path: Path) -> None:
    """Early versions stored no digest of the candles."""
    key = FIRST.key(predictor.model.version)
    growing = stored_with_partial_days(tmp_path / "growing", synthetic_history(1)[:1300])
    run_shards(predictor, growing, results, [FIRST])
    table = pq.read_table(pa.BufferReader(results.read(key).data))
    metadata = {name: value for name, value in table.schema.metadata.items() if name != b"candles"}
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(metadata), sink, write_page_checksum=True)
    results.write(key, bytes(sink.getvalue()))
    store_history(growing, synthetic_history(1))
    assert is_done(FIRST, predictor, growing, results)


def test_result_without_stored_candles_is_kept(candles: Storage, results: Storage, predictor: Predictor, tmp_path: Path) -> None:
    run_shards(predictor, candles, results, [FIRST])
    assert is_done(FIRST, predictor, open_storage(str(tmp_path / "nowhere")), results)
