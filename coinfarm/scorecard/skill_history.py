"""The skill of a version by block, over all of its live days.

The sequential test counts every block since the first one: a test that only saw the latest would give more false alarms in the long run. So
the scores of blocks are stored beside the rows, and only those that are missing are computed from older rows.
"""

from contextlib import suppress
from dataclasses import dataclass

from coinfarm.candles.arrays import Values
from coinfarm.candles.day import DAY_MS, day_start_ms
from coinfarm.candles.interval import interval_ms
from coinfarm.candles.symbol import canonical_symbol
from coinfarm.errors import Forbidden, NotFound, StorageError
from coinfarm.evaluation.block_skill import BlockSkill, block_skill
from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.models.live_reference import SkillRecord
from coinfarm.scorecard.live_outcomes import LiveOutcomes, live_outcomes
from coinfarm.scorecard.model_record import ModelHorizon
from image_render.spec import STANDARD

_DAYS_AT_ONCE = 30
_MAX_BYTES = 20_000_000


@dataclass(frozen=True)
class LivePredictions:
    """The predictions of a version in a store, on one exchange and interval, at one horizon; of all symbols if none are named."""

    store: LiveStore
    feed: LiveFeed
    version: str
    horizon: ModelHorizon
    symbols: tuple[str, ...]

    @property
    def step_ms(self) -> int:
        return interval_ms(self.feed.interval)

    @property
    def horizon_ms(self) -> int:
        return self.horizon.candles * self.step_ms

    def outcomes(self, first_ms: int, stop_ms: int) -> LiveOutcomes:
        """Of the candles that open in `[first_ms, stop_ms)`, and what is known of the horizon after them."""
        windows_ms = STANDARD.window_candles * self.step_ms
        stop_ms += self.horizon_ms
        rows = self.store.read(self.feed, first_ms - windows_ms, stop_ms, map(canonical_symbol, self.symbols))
        return live_outcomes(rows, self.feed.interval, self.version, self.horizon, first_ms, stop_ms)

    def skill(self, outcomes: LiveOutcomes, multiples: Values) -> BlockSkill:
        """The skill of outcomes of these predictions."""
        return block_skill(outcomes.observations, outcomes.predicted_pct, multiples, self.step_ms, self.horizon.candles)


def skill_history(predictions: LivePredictions, recent: BlockSkill, first_ms: int, now_ms: int, multiples: Values) -> BlockSkill:
    """The skill by block since the first day of the store, of which `recent` has that since `first_ms`."""
    block_ms = recent.block_days * DAY_MS
    first_recent = -(-first_ms // block_ms)
    stored = _stored(predictions, recent.block_days, multiples)
    first = day_start_ms(predictions.store.days(predictions.feed)[0]) // block_ms if stored is None else stored.stop_block
    history = BlockSkill(recent.block_days, first, {}) if stored is None else stored
    at_once = max(1, _DAYS_AT_ONCE // recent.block_days)
    for start in range(first, first_recent, at_once):
        stop = min(start + at_once, first_recent)
        outcomes = predictions.outcomes(start * block_ms, stop * block_ms)
        history = history.then(recent.between(start, stop))  # without scores: they are of later blocks
        if len(outcomes):
            history = history.then(predictions.skill(outcomes, multiples).between(start, stop))
    history = history.then(recent.between(max(first, first_recent), recent.stop_block))
    if not predictions.symbols:
        _store(predictions, history.between(history.first_block, (now_ms - predictions.horizon_ms) // block_ms), multiples)
    return BlockSkill.from_record(history.to_record(multiples))  # rounded, as what is stored


def _stored(predictions: LivePredictions, block_days: int, multiples: Values) -> BlockSkill | None:
    """What is stored of the same horizon, compared with the same baseline."""
    storage, key = predictions.store.storage, _key(predictions)
    try:
        record = SkillRecord.model_validate_json(storage.read(key, _MAX_BYTES).data)
    except (NotFound, Forbidden, ValueError):  # damaged ones are computed again
        return None
    same = record.block_days == block_days and record.range_multiples == tuple(multiples.tolist())
    return BlockSkill.from_record(record) if same and record.by_coin else None


def _store(predictions: LivePredictions, history: BlockSkill, multiples: Values) -> None:
    """Replace what is stored, if it changed and the storage can be written."""
    record = history.to_record(multiples)
    data = record.model_dump_json(by_alias=True).encode()
    storage, key = predictions.store.storage, _key(predictions)
    with suppress(StorageError):
        if len(history) and (not storage.exists(key) or storage.read(key, _MAX_BYTES).data != data):
            storage.write(key, data, content_type="application/json")


def _key(predictions: LivePredictions) -> str:
    exchange, interval = predictions.feed
    # Under live/, which a role may write; readers of Parquet folders skip names that begin with an underscore.
    return (
        f"live/_scorecard/exchange={exchange}/interval={interval}/version={predictions.version}/skill-h{predictions.horizon.candles}.json"
    )
