"""Plan a run: count its frames, time this machine, quote."""

import time
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from coinfarm.backfill.estimate import ComputeTargetName, Fleet, Speed, quote
from coinfarm.backfill.local_run import cores_here
from coinfarm.backfill.run_manifest import RunManifest
from coinfarm.backfill.shard import days_per_shard, shards_between
from coinfarm.backfill.shard_windows import days_read
from coinfarm.candle_store.snapshot import CandleStoreSnapshot
from coinfarm.candles.synthetic import generate
from coinfarm.errors import CoinfarmError, NotFound
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from coinfarm.storage import Storage
from image_render.spec import STANDARD

_TIMED_S = 1.5
_TIMED_FRAMES = 400
_NEW_YEAR_2026_MS = 1_767_225_600_000


@dataclass(frozen=True)
class BackfillSpec:
    """What is asked for; `stop` is the day after the last one. `model_uri` None is the model that comes with the package."""

    symbols: tuple[str, ...]
    interval: str
    first: date
    stop: date
    stride: int
    model_uri: str | None
    model_version: str
    candles: Storage
    results: Storage


def plan_run(spec: BackfillSpec, speed: Speed, fleet: Fleet, way: ComputeTargetName) -> RunManifest:
    """The manifest, not yet written.

    Raises `NotFound` for a symbol without candles on any of the days, `CoinfarmError` for what cannot be a run.
    """
    if spec.stop <= spec.first:
        raise CoinfarmError(f"--from {spec.first} must be before --to {spec.stop}, which is the day after the last one")
    if len(set(spec.symbols)) < len(spec.symbols):
        raise CoinfarmError("a symbol is named twice")
    history = CandleStoreSnapshot(spec.candles)
    shard_days = days_per_shard(spec.interval)
    shards = [
        shard for symbol in spec.symbols for shard in shards_between(symbol, spec.interval, spec.first, spec.stop, spec.stride, shard_days)
    ]
    there = {symbol: frozenset(history.days(symbol, spec.interval)) for symbol in spec.symbols}
    for symbol in spec.symbols:
        if not any(spec.first <= day < spec.stop for day in there[symbol]):
            raise NotFound(
                f"{spec.candles.uri()} has no {spec.interval} candles of {symbol} from {spec.first} up to {spec.stop}; {history.contents()}"
            )
    days_with_candles = [[day for day in shard.each_day() if day in there[shard.symbol]] for shard in shards]
    without_candles = sum(not days for days in days_with_candles)
    frames = sum(replace(shard, day=day, days=1).asked for shard, days in zip(shards, days_with_candles, strict=True) for day in days)
    return RunManifest(
        created_at=datetime.now(UTC),
        symbols=spec.symbols,
        interval=spec.interval,
        from_date=spec.first,
        to_date=spec.stop,
        stride=spec.stride,
        shard_days=shard_days,
        model_uri=spec.model_uri,
        model_version=spec.model_version,
        candles_uri=spec.candles.uri(),
        results_uri=spec.results.uri(),
        way=way,
        quote=quote(frames, len(shards), without_candles, days_read(spec.interval, shard_days), speed, fleet),
    )


def speed_here(predictor: Predictor) -> Speed:
    """Measured in two seconds, on generated candles: drawn and predicted."""
    candles = generate("DEMOUSD", "1m", _NEW_YEAR_2026_MS, _TIMED_FRAMES + STANDARD.window_candles - 1, seed=1)
    frames, started = 0, time.perf_counter()
    while time.perf_counter() - started < _TIMED_S:
        frames += len(predictor.predict(Series(candles)))
    cores = cores_here()
    return Speed(frames / (time.perf_counter() - started), cores, f"measured here with {predictor.model.engine.name}, {cores} cores")
