"""Plan a run: count its frames, time this machine, quote."""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime

from coinfarm.backfill.estimate import Fleet, Speed, WayName, quote
from coinfarm.backfill.local_run import cores_here
from coinfarm.backfill.run_manifest import RunManifest
from coinfarm.backfill.shard import Shard
from coinfarm.backfill.shard_windows import days_read
from coinfarm.candle_store.reader import History
from coinfarm.candles.synthetic import generate
from coinfarm.errors import CoinfarmError, NotFound
from coinfarm.prediction.predictor import Predictor, Series
from coinfarm.storage import Storage
from image_render.spec import STANDARD

_TIMED_S = 1.5
_TIMED_FRAMES = 400
_NEW_YEAR_2026_MS = 1_767_225_600_000


@dataclass(frozen=True)
class Wish:
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


def plan_run(wish: Wish, speed: Speed, fleet: Fleet, way: WayName) -> RunManifest:
    """The manifest, not yet written.

    Raises `NotFound` for a symbol without candles on any of the days, `CoinfarmError` for what cannot be a run.
    """
    if wish.stop <= wish.first:
        raise CoinfarmError(f"--from {wish.first} must be before --to {wish.stop}, which is the day after the last one")
    if len(set(wish.symbols)) < len(wish.symbols):
        raise CoinfarmError("a symbol is named twice")
    history = History(wish.candles)
    shards = [
        Shard(symbol, wish.interval, date.fromordinal(number), wish.stride)
        for symbol in wish.symbols
        for number in range(wish.first.toordinal(), wish.stop.toordinal())
    ]
    there = {symbol: frozenset(history.days(symbol, wish.interval)) for symbol in wish.symbols}
    for symbol in wish.symbols:
        if not any(wish.first <= day < wish.stop for day in there[symbol]):
            raise NotFound(
                f"{wish.candles.uri()} has no {wish.interval} candles of {symbol} from {wish.first} up to {wish.stop}; {history.contents()}"
            )
    with_candles = [shard for shard in shards if shard.day in there[shard.symbol]]
    frames = sum(shard.asked for shard in with_candles)
    return RunManifest(
        created_at=datetime.now(UTC),
        symbols=wish.symbols,
        interval=wish.interval,
        from_date=wish.first,
        to_date=wish.stop,
        stride=wish.stride,
        model_uri=wish.model_uri,
        model_version=wish.model_version,
        candles_uri=wish.candles.uri(),
        results_uri=wish.results.uri(),
        way=way,
        quote=quote(frames, len(shards), len(shards) - len(with_candles), days_read(wish.interval), speed, fleet),
    )


def speed_here(predictor: Predictor) -> Speed:
    """Measured in two seconds, on generated candles: drawn and predicted."""
    candles = generate("DEMOUSD", "1m", _NEW_YEAR_2026_MS, _TIMED_FRAMES + STANDARD.window_candles - 1, seed=1)
    frames, started = 0, time.perf_counter()
    while time.perf_counter() - started < _TIMED_S:
        frames += len(predictor.predict(Series(candles)))
    cores = cores_here()
    return Speed(frames / (time.perf_counter() - started), cores, f"measured here with {predictor.model.engine.name}, {cores} cores")
