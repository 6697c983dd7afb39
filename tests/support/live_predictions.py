"""Live stores with synthetic candles and predictions of a known quality, and the evaluation of their model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from coinfarm.candles.arrays import Values
from coinfarm.candles.candles import Candles
from coinfarm.candles.synthetic import generate
from coinfarm.evaluation.features import observations_at
from coinfarm.live.live_rows import live_schema
from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.models.evaluation_document import EvaluationRecord
from coinfarm.models.live_reference import LiveReference, SkillRecord
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.storage import Storage
from image_render.spec import STANDARD
from tests.support.evaluation_documents import evaluation_json
from tests.support.synthetic_candles import START_MS

FEED = LiveFeed("binanceus", "15m")
VERSION = "20260101-11111111"
HORIZON = 30
LATENCY_MS = 200
MULTIPLES = (0.2, -0.2, 0.0)
"""What a price moves in a horizon, roughly, in units of the window's range."""


def candles_of(symbol: str = "DEMO1", days: int = 20, seed: int = 1, interval: str = FEED.interval) -> Candles:
    return generate(symbol, interval, START_MS, days * 86_400_000 // 900_000, seed)


def predictions_of(candles: Candles, share: float, seed: int = 0, horizon_candles: int = HORIZON) -> Values:
    """Predictions `(n, 3)` for every window: the outcome by that share, the rest what it would be without a model, and noise.

    The last ones, without an outcome, are what they would be without a model.
    """
    window = STANDARD.window_candles
    last = np.arange(window - 1, len(candles))
    observed = observations_at(candles, last[:-horizon_candles] - window + 1, horizon_candles)
    values = np.tile([0.5, -0.5, 0.0], (len(last), 1))
    expected = observed.range_pct[:, None] * MULTIPLES
    noise = np.random.default_rng(seed).normal(scale=0.02, size=expected.shape) * observed.range_pct[:, None]
    values[:-horizon_candles] = share * observed.actual_pct + (1.0 - share) * expected + noise
    return values


def rows_of(candles: Candles, values_pct: Values, version: str, further_horizons: tuple[int, ...] = ()) -> pa.Table:
    """Rows of a live store: candles without gaps, and predictions `(n, outputs)` for the last `n` of them; NaN is none."""
    count, schema = len(candles), live_schema(further_horizons)
    values = np.full((count, values_pct.shape[1]), np.nan)
    values[count - len(values_pct) :] = values_pct
    is_missing, close_time = np.isnan(values[:, 0]), candles.open_time + candles.interval_ms - 1
    return pa.table(
        {
            "symbol": [candles.symbol] * count,
            "open_time": candles.open_time,
            "close_time": close_time,
            **candles.columns._asdict(),
            "filled": candles.filled,
            "corrected_at": pa.nulls(count, pa.int64()),
            "model_version": pa.array([None if missing else version for missing in is_missing], pa.string()),
            "predicted_at": pa.array(close_time + LATENCY_MS, mask=is_missing),
            "in_sample": pa.array(np.zeros(count, np.bool_), mask=is_missing),
            "filled_candles": np.zeros(count, np.int64),
            **dict(zip(schema.names[-values.shape[1] :], values.T, strict=True)),
        },
        schema=schema,
    )


def write_rows(storage: Storage, coins: Sequence[Candles], share: float, feed: LiveFeed = FEED, version: str = VERSION) -> LiveStore:
    """A store with those candles, predicted by a model that knows the outcome by that share."""
    store = LiveStore(storage)
    for number, candles in enumerate(coins):
        store.append(feed, rows_of(candles, predictions_of(candles, share, number), version))
    return store


def skill_record(scores: Sequence[float | None], symbol: str = "DEMO1") -> SkillRecord:
    return SkillRecord(block_days=1, first_block=17_000, range_multiples=MULTIPLES, by_coin={symbol: tuple(scores)})


def evaluation_with_reference(scores: Sequence[float | None], version: str = VERSION, **fields: Any) -> EvaluationRecord:
    """An evaluation whose blocks have these scores."""
    reference = LiveReference(error_quantiles=dict.fromkeys(OUTPUT_NAMES, (-0.5, 0.0, 0.5)), skill=skill_record(scores))
    document = evaluation_json(version, **{"interval": FEED.interval, "horizonCandles": HORIZON} | fields)
    return EvaluationRecord.read(document | {"liveReference": reference.model_dump(mode="json", by_alias=True)}, "here")


def outcome(candles: Candles, at: int, horizon_candles: int = HORIZON) -> Values:
    """The outputs `(3,)` after the candle at that position, one candle after the other."""
    following = range(at + 1, at + 1 + horizon_candles)
    close = candles.columns.close[at]
    highest, lowest = max(candles.columns.high[each] for each in following), min(candles.columns.low[each] for each in following)
    return 100.0 * (np.array([highest, lowest, candles.columns.close[at + horizon_candles]]) / close - 1.0)
