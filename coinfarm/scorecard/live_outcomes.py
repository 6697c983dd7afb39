"""Stored live predictions whose horizon has passed, and what happened in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coinfarm.candles.arrays import Times, Values
from coinfarm.candles.candles import Candles
from coinfarm.candles.filled_windows import crosses_gap
from coinfarm.candles.gaps import fill_gaps
from coinfarm.evaluation.features import FEATURE_NAMES, Observations, observations_at
from coinfarm.evaluation.har import SPANS
from coinfarm.live.live_rows import CANDLE_COLUMNS
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.scorecard.model_record import ModelHorizon
from coinfarm.scorecard.scorecard_document import LiveCounts
from image_render.spec import STANDARD
from image_render.windows import Columns

if TYPE_CHECKING:
    import pyarrow as pa

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class LiveOutcomes:
    """The scored predictions of one feed and version at one horizon, coin after coin: `observations`, `predicted_pct` `(n, 3)`, when each
    was made, `predicted_at` `(n,)`, and the counts of the others. `candles` are without gaps, one series for each coin that has rows.
    `next_outcome_ms` is when the oldest pending prediction can be scored, None if none is pending.
    """

    observations: Observations
    predicted_pct: Values
    predicted_at: Times
    candles: tuple[Candles, ...]
    counts: LiveCounts
    next_outcome_ms: int | None

    def __len__(self) -> int:
        return len(self.observations)


def live_outcomes(rows: "pa.Table", interval: str, version: str, horizon: ModelHorizon, first_ms: int, now_ms: int) -> LiveOutcomes:
    """The predictions of a version in rows of a live store, for candles that open at `first_ms` or later, at one of its horizons.

    Earlier rows serve as candles of windows. A candle that has no row is missing, and a prediction with one in its window or horizon is not
    scored; candles that the exchange did not have are filled, as in an evaluation.
    """
    parts = [_coin(each, version, horizon, first_ms, now_ms) for each in _by_coin(rows, interval)]
    counts = sum((part.counts for part in parts), LiveCounts())
    if not parts:
        return LiveOutcomes(_no_observations(), np.zeros((0, len(OUTPUT_NAMES))), np.zeros(0, np.int64), (), counts, None)
    return LiveOutcomes(
        Observations.concatenate([part.observations for part in parts]),
        np.concatenate([part.predicted_pct for part in parts]),
        np.concatenate([part.predicted_at for part in parts]),
        tuple(candles for part in parts for candles in part.candles),
        counts,
        min((part.next_outcome_ms for part in parts if part.next_outcome_ms is not None), default=None),
    )


@dataclass(frozen=True, eq=False)
class _CoinRows:
    """The rows of one coin, and the place of each in its `candles`, whose gaps are filled; `is_stored` is False where there is no row."""

    rows: "pa.Table"
    candles: Candles
    place: NDArray[np.int64]
    is_stored: Mask


def _by_coin(rows: "pa.Table", interval: str) -> Iterator[_CoinRows]:
    import pyarrow.compute as pc

    for symbol in sorted(pc.unique(rows["symbol"]).to_pylist()):
        of_coin = rows.filter(pc.equal(rows["symbol"], symbol))
        open_time = of_coin["open_time"].to_numpy()
        columns = Columns(*(of_coin[name].to_numpy() for name in CANDLE_COLUMNS))
        filled = of_coin["filled"].to_numpy()
        candles = fill_gaps(Candles(symbol, interval, open_time, columns, filled))
        place = (open_time - open_time[0]) // candles.interval_ms
        is_stored = np.zeros(len(candles), np.bool_)
        is_stored[place] = True
        yield _CoinRows(of_coin, candles, place, is_stored)


class _Exclusion(IntEnum):
    """Why a prediction is not scored; the first reason counts."""

    IN_SAMPLE = 0
    PENDING = 1
    MISSING_CANDLES = 2
    ACROSS_GAPS = 3
    NONE = 4


def _coin(coin: _CoinRows, version: str, horizon: ModelHorizon, first_ms: int, now_ms: int) -> LiveOutcomes:
    import pyarrow.compute as pc

    rows, candles = coin.rows, coin.candles
    values = np.column_stack([rows[name].to_numpy() for name in horizon.columns])
    open_time = rows["open_time"].to_numpy()
    is_of_period = open_time >= first_ms
    is_of_version = pc.equal(rows["model_version"], version).fill_null(False).to_numpy()
    is_counted = is_of_version & np.isfinite(values).all(axis=1) & is_of_period
    outcome_ms = open_time + (1 + horizon.candles) * candles.interval_ms
    exclusion = _exclusions(coin, horizon.candles, outcome_ms > now_ms)
    scored = np.flatnonzero(is_counted & (exclusion == _Exclusion.NONE))
    waiting_ms = outcome_ms[is_counted & (exclusion == _Exclusion.PENDING)]
    count = np.bincount(exclusion[is_counted], minlength=len(_Exclusion)).tolist()
    counts = LiveCounts(
        predictions=int(is_counted.sum()),
        scored=count[_Exclusion.NONE],
        pending=count[_Exclusion.PENDING],
        in_sample=count[_Exclusion.IN_SAMPLE],
        in_sample_unknown=rows["in_sample"].take(scored).null_count,
        missing_candles=count[_Exclusion.MISSING_CANDLES],
        across_gaps=count[_Exclusion.ACROSS_GAPS],
        corrected_candles=int((rows["corrected_at"].is_valid().to_numpy() & is_of_period).sum()),
    )
    starts = coin.place[scored] - STANDARD.window_candles + 1
    return LiveOutcomes(
        observations=observations_at(candles, starts, horizon.candles) if len(scored) else _no_observations(),
        predicted_pct=values[scored],
        predicted_at=rows["predicted_at"].take(scored).fill_null(0).to_numpy(),
        candles=(candles,),
        counts=counts,
        next_outcome_ms=int(waiting_ms.min()) if len(waiting_ms) else None,
    )


def _exclusions(coin: _CoinRows, horizon_candles: int, is_pending: Mask) -> NDArray[np.int64]:
    """The `_Exclusion` of each row, `(n,)`."""
    first, last = coin.place - STANDARD.window_candles + 1, coin.place + horizon_candles
    is_within = (first >= 0) & (last < len(coin.candles))
    first, last = np.maximum(first, 0), np.minimum(last, len(coin.candles) - 1)
    missing_before = np.concatenate([[0], np.cumsum(~coin.is_stored)])
    is_complete = is_within & (missing_before[last + 1] == missing_before[first])
    reasons = {
        _Exclusion.IN_SAMPLE: coin.rows["in_sample"].fill_null(False).to_numpy(),
        _Exclusion.PENDING: is_pending,
        _Exclusion.MISSING_CANDLES: ~is_complete,
        _Exclusion.ACROSS_GAPS: crosses_gap(coin.candles, first, STANDARD.window_candles + horizon_candles),
        _Exclusion.NONE: np.ones(len(first), np.bool_),
    }
    found: NDArray[np.int64] = np.stack([reasons[each] for each in _Exclusion]).argmax(axis=0)
    return found


def _no_observations() -> Observations:
    features, volatilities, outputs = (np.zeros((0, width)) for width in (len(FEATURE_NAMES), len(SPANS), len(OUTPUT_NAMES)))
    return Observations(np.zeros(0, "U1"), np.zeros(0, np.int64), features, volatilities, outputs, outputs)
