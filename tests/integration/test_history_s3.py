"""The candle store in S3, on moto's server."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coinfarm.candle_store.store import CandleStore, WriteOutcome
from coinfarm.candles.day import by_day
from coinfarm.errors import Conflict
from coinfarm.storage import open_storage
from tests.support.synthetic_candles import START_MS, assert_same_candles, minutes

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CANDLES = minutes(3 * 1440, missing=range(100, 130))


@pytest.fixture
def root(s3: "S3Client", tmp_path: Path) -> str:
    return f"s3://candles/{tmp_path.name}"


@pytest.fixture
def store(root: str) -> CandleStore:
    return CandleStore(open_storage(root))


def test_days_are_stored_read_and_protected(store: CandleStore, root: str) -> None:
    for day in by_day(CANDLES):
        assert store.write_day(day) is WriteOutcome.NEW
    assert_same_candles(store.read("DEMOUSD", "1m"), CANDLES)
    assert store.uri("DEMOUSD", "1m", date(2020, 1, 1)) == f"{root}/candles/symbol=DEMOUSD/interval=1m/date=2020-01-01.parquet"
    assert store.write_day(CANDLES.between(None, START_MS + 86_400_000)) is WriteOutcome.UNCHANGED
    with pytest.raises(Conflict, match=f"{root}/candles/.*date=2020-01-01.parquet.*2020-01-01 01:40"):
        store.write_day(minutes(3 * 1440)[:1440])


def test_part_of_a_day_can_be_extended(store: CandleStore) -> None:
    store.write_day(CANDLES[:500], known_to_ms=int(CANDLES.open_time[500]))
    assert store.write_day(CANDLES.between(None, START_MS + 86_400_000)) is WriteOutcome.EXTENDED
