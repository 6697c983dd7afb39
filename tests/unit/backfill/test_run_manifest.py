"""The manifest of a run."""

import json
from pathlib import Path

import pytest

from coinfarm.backfill.run_manifest import Run
from coinfarm.errors import Conflict, DocumentError
from coinfarm.storage import Storage
from tests.support.backfill_runs import planned
from tests.support.candle_stores import stored, synthetic_history


@pytest.fixture
def candles(tmp_path: Path) -> Storage:
    return stored(tmp_path / "store", synthetic_history(2), synthetic_history(2, symbol="DEMOETH"))


def test_run_planned_by_version_0_1_keeps_its_shards(candles: Storage, tmp_path: Path) -> None:
    run = planned(tmp_path, candles, days=3)
    document = json.loads((tmp_path / "manifest.json").read_text())
    del document["shardDays"]
    (tmp_path / "manifest.json").write_text(json.dumps(document))
    version = run.manifest.model_version
    assert [shard.key(version).rpartition("/")[2] for shard in Run.at(str(tmp_path)).manifest.shards()] == [
        f"date=2026-01-0{day}.parquet" for day in (1, 2, 3)
    ]


def test_manifest_gives_the_shards_in_order_without_listing_them(candles: Storage, tmp_path: Path) -> None:
    run = planned(tmp_path / "run", candles, symbols=("DEMOUSD", "DEMOETH"), days=2)
    shards = [str(shard) for shard in Run.at(str(tmp_path / "run")).manifest.shards()]
    assert shards == [f"{symbol} 1m 2026-01-0{day}" for symbol in ("DEMOUSD", "DEMOETH") for day in (1, 2)]
    document = json.loads(run.storage.read("manifest.json").data)
    assert (document["from"], document["to"]) == ("2026-01-01", "2026-01-03")
    assert "shards" not in document, "two years of a hundred coins would make a manifest of megabytes"


def test_manifest_does_not_change(candles: Storage, tmp_path: Path) -> None:
    before = planned(tmp_path, candles).storage.read("manifest.json").data
    assert planned(tmp_path, candles).storage.read("manifest.json").data == before, "the same plan again"
    with pytest.raises(Conflict, match="--run"):
        planned(tmp_path, candles, days=2)
    assert (tmp_path / "manifest.json").read_bytes() == before


def test_damaged_manifest_is_named(candles: Storage, tmp_path: Path) -> None:
    planned(tmp_path, candles).storage.write("manifest.json", b'{"format": 2}')
    with pytest.raises(DocumentError, match=r"manifest\.json.*format"):
        _ = Run.at(str(tmp_path)).manifest
