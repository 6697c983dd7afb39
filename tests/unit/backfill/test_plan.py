"""What a run is said to take and cost, and the manifest that keeps it."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from coinfarm.backfill.estimate import ComputeLimits, Speed, estimate_cost
from coinfarm.backfill.prices import INSTANCE_USD_PER_H, LAMBDA_USD_PER_GB_S, SPOT_SHARE_OF_LIST
from coinfarm.backfill.run_manifest import Run
from coinfarm.backfill.shard import days_per_shard, shards_between
from coinfarm.errors import CoinfarmError, Conflict, DocumentError, NotFound
from coinfarm.storage import Storage
from tests.support.backfill_runs import planned
from tests.support.candle_stores import stored, synthetic_history


@pytest.fixture(scope="module")
def candles(tmp_path_factory: pytest.TempPathFactory) -> Storage:
    hours = synthetic_history(20, interval="1h", symbol="DEMOETH", missing=range(24, 48))
    return stored(tmp_path_factory.mktemp("store"), synthetic_history(3), hours)


ESTIMATE = estimate_cost(
    1_000_000, 695, 0, 2, Speed(2_000.0, 2, "measured"), ComputeLimits(lambda_functions=10, lambda_memory_mb=3_538, instances=30)
)


def test_this_machine_costs_time_alone() -> None:
    target = ESTIMATE.target("here")
    assert (target.seconds, target.usd, target.workers) == (500.0, 0.0, 1)


def test_lambda_is_as_fast_as_its_cores() -> None:
    target = ESTIMATE.target("lambda")
    assert target.frames_per_s == pytest.approx(2_000.0), "3,538 MB are two cores"
    assert target.seconds == pytest.approx(50.0)
    gb_s_usd = 500 * 3_538 / 1024 * LAMBDA_USD_PER_GB_S
    # 70 invocations, 695 messages of three tenths of a call each, and their reads and writes
    assert target.usd == pytest.approx(gb_s_usd + 70 * 2e-7 + 695 * (0.3 * 4e-7 + 3 * 4e-7 + 1.1 * 5e-6))


def test_a_gpu_s_speed_is_marked_as_assumed_where_nobody_measured_it() -> None:
    target = ESTIMATE.target("gpu")
    assert target.frames_per_s == 29.0
    assert "ASSUMED" in target.basis
    busy_h = 1_000_000 / 29 / 3600
    assert target.usd == pytest.approx(busy_h * INSTANCE_USD_PER_H["g4dn.xlarge"], rel=0.01)
    assert ESTIMATE.target("gpu-spot").usd == pytest.approx(busy_h * INSTANCE_USD_PER_H["g4dn.xlarge"] * SPOT_SHARE_OF_LIST, rel=0.01)


def test_a_gpu_of_unknown_speed_has_no_price() -> None:
    target = estimate_cost(1_000, 1, 0, 2, Speed(2_000.0, 2, ""), ComputeLimits(instance_type="g6.xlarge")).target("gpu")
    assert (target.frames_per_s, target.seconds, target.usd) == (None, None, None)


def test_a_gpu_s_speed_may_be_told() -> None:
    target = estimate_cost(360_000, 250, 0, 2, Speed(2_000.0, 2, ""), ComputeLimits(instances=10, gpu_frames_per_s=1_000)).target("gpu")
    assert target.seconds == pytest.approx(36.0)
    assert "ASSUMED" not in target.basis


@pytest.mark.parametrize(("messages", "functions", "instances"), [(1, 1, 1), (15, 2, 15), (100, 10, 30), (1_000, 10, 30)])
def test_there_are_no_more_workers_than_there_is_work(messages: int, functions: int, instances: int) -> None:
    found = estimate_cost(1_440 * messages, messages, 0, 2, Speed(2_000.0, 2, ""), ComputeLimits())
    assert (found.target("lambda").workers, found.target("gpu").workers) == (functions, instances)


def test_a_plan_counts_the_windows_of_days_that_have_candles(candles: Storage, tmp_path: Path) -> None:
    manifest = planned(tmp_path, candles, symbols=("DEMOUSD",), days=5).manifest
    assert (manifest.estimate.frames, manifest.estimate.messages, manifest.estimate.messages_without_candles) == (3 * 1440, 5, 2)
    hours = planned(tmp_path / "hours", candles, symbols=("DEMOETH",), interval="1h", days=3, stride=6, shard_days=None).manifest
    assert (hours.estimate.frames, hours.estimate.messages, hours.estimate.messages_without_candles) == (2 * 4, 1, 0)


@pytest.mark.parametrize(("interval", "days"), [("1m", 1), ("5m", 5), ("15m", 15), ("1h", 60), ("4h", 240), ("1d", 1440)])
def test_a_shard_has_as_many_windows_as_a_day_of_minutes(interval: str, days: int) -> None:
    (shard, *_) = shards_between("BTCUSD", interval, date(1970, 1, 1), date(2020, 1, 1), 1, days_per_shard(interval))
    assert (shard.days, shard.window_count) == (days, 1440)


def test_runs_over_other_dates_share_their_inner_shards() -> None:
    def keys(first: date, stop: date) -> list[str]:
        return [shard.key("v") for shard in shards_between("BTCUSD", "1h", first, stop, 1, 60)]

    long, short = keys(date(2025, 1, 1), date(2026, 1, 1)), keys(date(2025, 3, 3), date(2025, 12, 3))
    assert short[1:-1] == [key for key in long if key in short]
    assert len(short) == 5 + 1


def test_shards_cover_each_day_once() -> None:
    shards = list(shards_between("BTCUSD", "1h", date(2025, 1, 10), date(2025, 7, 1), 1, 60))
    days = [day for shard in shards for day in shard.each_day()]
    assert days == [date(2025, 1, 10) + timedelta(number) for number in range((date(2025, 7, 1) - date(2025, 1, 10)).days)]


def test_a_run_planned_by_version_0_1_keeps_its_shards(candles: Storage, tmp_path: Path) -> None:
    run = planned(tmp_path, candles, symbols=("DEMOETH",), interval="1h", days=3)
    document = json.loads((tmp_path / "manifest.json").read_text())
    del document["shardDays"]
    (tmp_path / "manifest.json").write_text(json.dumps(document))
    version = run.manifest.model_version
    assert [shard.key(version).rpartition("/")[2] for shard in Run.at(str(tmp_path)).manifest.shards()] == [
        f"date=2026-01-0{day}.parquet" for day in (1, 2, 3)
    ]


def test_the_manifest_describes_every_shard_in_one_order(candles: Storage, tmp_path: Path) -> None:
    hours = stored(tmp_path / "store", synthetic_history(2), synthetic_history(2, symbol="DEMOETH"))
    run = planned(tmp_path / "run", hours, symbols=("DEMOUSD", "DEMOETH"), days=2)
    assert [str(shard) for shard in Run.at(str(tmp_path / "run")).manifest.shards()] == [
        "DEMOUSD 1m 2026-01-01",
        "DEMOUSD 1m 2026-01-02",
        "DEMOETH 1m 2026-01-01",
        "DEMOETH 1m 2026-01-02",
    ]
    document = json.loads(run.storage.read("manifest.json").data)
    assert (document["from"], document["to"], document["modelVersion"]) == ("2026-01-01", "2026-01-03", "20260101-0a1b2c3d")
    assert document["candlesUri"] == str(tmp_path / "store")
    assert "shards" not in document, "two years of a hundred coins must not make a manifest of megabytes"


def test_a_manifest_never_changes(candles: Storage, tmp_path: Path) -> None:
    before = planned(tmp_path, candles).storage.read("manifest.json").data
    assert planned(tmp_path, candles).storage.read("manifest.json").data == before, "the same plan again is no other one"
    with pytest.raises(Conflict, match="belongs to another run: choose another --run"):
        planned(tmp_path, candles, days=2)
    assert (tmp_path / "manifest.json").read_bytes() == before


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param({"days": 0}, "--from 2026-01-01 must be before --to 2026-01-01", id="no days"),
        pytest.param({"days": -3}, "must be before --to 2025-12-29", id="days that go backwards"),
        pytest.param({"symbols": ("DEMOUSD", "DEMOUSD")}, "symbol", id="a symbol twice"),
        pytest.param({"symbols": ("NONEUSD",)}, "has no 1m candles of NONEUSD", id="a symbol without candles"),
        pytest.param({"first": date(2025, 1, 1)}, "the store has DEMO", id="days without candles"),
        pytest.param({"interval": "1w"}, "'1w'", id="an interval nobody knows"),
    ],
)
def test_what_cannot_be_a_run_is_refused_before_anything_is_written(candles: Storage, tmp_path: Path, wrong: dict, said: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(CoinfarmError, match=said):
        planned(tmp_path / "run", candles, **wrong)
    assert not (tmp_path / "run").exists()


def test_a_run_that_is_not_there_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="backfill plan"):
        _ = Run.at(str(tmp_path)).manifest


def test_a_damaged_manifest_is_named(candles: Storage, tmp_path: Path) -> None:
    planned(tmp_path, candles).storage.write("manifest.json", b'{"format": 2}')
    with pytest.raises(DocumentError, match=r"manifest\.json is not valid: format"):
        _ = Run.at(str(tmp_path)).manifest


def test_a_model_s_and_a_run_s_dates_are_spelled_alike(candles: Storage, tmp_path: Path) -> None:
    assert planned(tmp_path, candles).manifest.from_date == date(2026, 1, 1)
