"""The result of a shard: its counts and columns, and what is not a complete result."""

import json
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_result import ShardCounts, ShardResult, read_result
from coinfarm.prediction.predictor import Predictor
from coinfarm.storage import Storage
from tests.support.backfill_runs import run_shards
from tests.support.candle_stores import FIRST_DAY

SHARD = Shard("DEMOUSD", "1m", date(2026, 1, 2))


def result_of(shard: Shard, predictor: Predictor, candles: Storage, results: Storage) -> ShardResult:
    assert run_shards(predictor, candles, results, [shard]) == {shard: None}
    result = read_result(shard, predictor.model.version, results)
    assert result is not None
    return result


def test_counts_account_for_every_window(candles: Storage, results: Storage, predictor: Predictor) -> None:
    result = result_of(SHARD, predictor, candles, results)
    assert list(results.list()) == [SHARD.key(predictor.model.version)]
    # of the 150 missing minutes, a window has more than a hundred from the 101st on, until the last of them is its 100th candle
    assert result.counts == ShardCounts(requested=1440, predicted=1440 - 149, mostly_filled=149, too_few_before=0, no_candles=0)
    assert int(np.isnan(result.table["max_rise_pct"].to_numpy()).sum()) == 149
    assert result.table["close_time"].to_pylist() == list(range(SHARD.start_ms + 59_999, SHARD.stop_ms, 60_000))
    file = pq.read_table(pa.BufferReader(results.read(SHARD.key(predictor.model.version)).data))
    assert json.loads(file.schema.metadata[b"model"])["engine"] == "pixels"
    assert json.loads(file.schema.metadata[b"account"])["asked"] == 1440, "the stored names do not change"


def test_day_without_candles_has_an_empty_result_of_the_same_schema(candles: Storage, results: Storage, predictor: Predictor) -> None:
    empty = result_of(Shard("DEMOUSD", "1m", date(2026, 1, 7)), predictor, candles, results)
    assert (len(empty.table), empty.counts) == (0, ShardCounts(1440, 0, 0, 0, no_candles=1440))
    full = result_of(Shard("DEMOUSD", "1m", FIRST_DAY), predictor, candles, results)
    assert full.table.schema.types == empty.table.schema.types, "otherwise a dataset of both cannot be read"


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[:1000], id="truncated"),
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: b"hello", id="not Parquet"),
        pytest.param(lambda data: data.replace(data[1000:1001], bytes([data[1000] ^ 1]), 1), id="bit flipped"),
    ],
)
def test_damaged_result_is_none_and_is_replaced(damage: Any, candles: Storage, results: Storage, predictor: Predictor) -> None:
    key = SHARD.key(predictor.model.version)
    result_of(SHARD, predictor, candles, results)
    undamaged = results.read(key).data
    results.write(key, damage(undamaged))
    assert read_result(SHARD, predictor.model.version, results) is None
    result_of(SHARD, predictor, candles, results)
    assert results.read(key).data == undamaged, "the same input gives the same bytes"


def test_result_of_another_shard_is_none(candles: Storage, results: Storage, predictor: Predictor) -> None:
    other, version = Shard("DEMOUSD", "1m", FIRST_DAY), predictor.model.version
    run_shards(predictor, candles, results, [other, SHARD])
    results.write(SHARD.key(version), results.read(other.key(version)).data)
    assert read_result(SHARD, version, results) is None
