"""Plan a run: count its windows, measure the speed of this machine, and estimate the cost."""

import time
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from coinfarm.backfill.estimate import ComputeLimits, ComputeTargetName, Speed, estimate_cost
from coinfarm.backfill.run_manifest import RunManifest
from coinfarm.backfill.shard import days_per_shard, shards_between
from coinfarm.backfill.shard_windows import day_files_per_shard
from coinfarm.candle_store.snapshot import CandleStoreSnapshot
from coinfarm.candles.day import check_period
from coinfarm.candles.interval import canonical_interval
from coinfarm.candles.symbol import canonical_symbol
from coinfarm.candles.synthetic import START_OF_2026_MS, generate
from coinfarm.engines.cores import available_cores
from coinfarm.errors import CoinfarmError, NotFound
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from coinfarm.storage import Storage
from image_render.spec import STANDARD

_TIMED_S = 1.5
_TIMED_WINDOWS = 400


@dataclass(frozen=True)
class BackfillSpec:
    """The request for a backfill, with symbols and interval in any spelling.

    `stop_day` is the day after the last. If `model_uri` is None, the model of the package is used.
    """

    symbols: tuple[str, ...]
    interval: str
    first_day: date
    stop_day: date
    stride: int
    model_uri: str | None
    model_version: str
    candles: Storage
    results: Storage


def plan_run(spec: BackfillSpec, speed: Speed, limits: ComputeLimits, target: ComputeTargetName) -> RunManifest:
    """The manifest of the run, without writing it.

    Raises `NotFound` if a symbol has no candles on any of the days, `CoinfarmError` if the spec is invalid.
    """
    check_period(spec.first_day, spec.stop_day)
    interval, symbols = canonical_interval(spec.interval), tuple(map(canonical_symbol, spec.symbols))
    for number, symbol in enumerate(symbols):
        if symbol in symbols[:number]:
            raise CoinfarmError(f"{symbol} is given twice")
    store = CandleStoreSnapshot(spec.candles)
    shard_days = days_per_shard(interval)
    shards = [
        shard for symbol in symbols for shard in shards_between(symbol, interval, spec.first_day, spec.stop_day, spec.stride, shard_days)
    ]
    stored_days = {symbol: frozenset(store.days(symbol, interval)) for symbol in symbols}
    for symbol in symbols:
        if not any(spec.first_day <= day < spec.stop_day for day in stored_days[symbol]):
            raise NotFound(
                f"{spec.candles.uri()} has no {interval} candles of {symbol} from {spec.first_day} up to {spec.stop_day}; "
                f"{store.contents()}"
            )
    days_with_candles = [[day for day in shard.each_day() if day in stored_days[shard.symbol]] for shard in shards]
    without_candles = sum(not days for days in days_with_candles)
    windows = sum(
        replace(shard, day=day, days=1).window_count for shard, days in zip(shards, days_with_candles, strict=True) for day in days
    )
    return RunManifest(
        created_at=datetime.now(UTC),
        symbols=symbols,
        interval=interval,
        from_date=spec.first_day,
        to_date=spec.stop_day,
        stride=spec.stride,
        shard_days=shard_days,
        model_uri=spec.model_uri,
        model_version=spec.model_version,
        candles_uri=spec.candles.uri(),
        results_uri=spec.results.uri(),
        target=target,
        estimate=estimate_cost(windows, len(shards), without_candles, day_files_per_shard(interval, shard_days), speed, limits),
    )


def measure_speed(predictor: Predictor) -> Speed:
    """The speed of rendering and predicting synthetic candles on this machine, measured for 1.5 seconds."""
    candles = generate("DEMOUSD", "1m", START_OF_2026_MS, _TIMED_WINDOWS + STANDARD.window_candles - 1, seed=1)
    windows, started = 0, time.perf_counter()
    while time.perf_counter() - started < _TIMED_S:
        windows += len(predictor.predict(Series(candles)))
    cores = available_cores()
    return Speed(windows / (time.perf_counter() - started), cores, f"measured here with {predictor.model.engine.name}, {cores} cores")
