"""The skill of a model by block of days: how much smaller its errors are than those of a move in proportion to the window's range.

The score of one coin in one block is the mean over the outputs of `(B - M) / (B + M)`: `M` are the model's squared errors, `B` those of the
baseline, both in units of the window's range, so that quiet and volatile hours count alike. It is between -1 and 1, and 0 for a model that
is as good as the baseline. Blocks are whole UTC days and as long as the horizon, so that only neighbouring ones share candles.
"""

from dataclasses import dataclass

import numpy as np

from coinfarm.candles.arrays import Values
from coinfarm.candles.day import DAY_MS
from coinfarm.evaluation.features import Observations
from coinfarm.evaluation.metrics import rounded
from coinfarm.models.live_reference import SkillRecord

_MIN_SHARE = 0.5
"""Of a block's windows: with fewer, a coin has no score there."""


@dataclass(frozen=True, eq=False)
class BlockSkill:
    """The score by coin and block, `(blocks,)` each; NaN where there is none.

    Block number `n` begins `n * block_days` days after 1970-01-01.
    """

    block_days: int
    first_block: int
    by_coin: dict[str, Values]

    @property
    def scores(self) -> Values:
        """The mean over the coins, `(blocks,)`; NaN for a block without any."""
        table = np.array(list(self.by_coin.values()))
        known = np.isfinite(table)
        count = known.sum(axis=0)
        total = np.where(known, table, 0.0).sum(axis=0)
        scores: Values = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        return scores

    @property
    def stop_block(self) -> int:
        """The number of the block after the last one."""
        return self.first_block + max(map(len, self.by_coin.values()), default=0)

    @classmethod
    def from_record(cls, record: SkillRecord) -> "BlockSkill":
        """As stored."""
        by_coin = {symbol: np.array(scores, np.float64) for symbol, scores in record.by_coin.items()}
        return cls(record.block_days, record.first_block, by_coin)

    def to_record(self, multiples: Values) -> SkillRecord:
        """To store it, with the `multiples` of its baseline."""
        by_coin = {
            symbol: tuple(None if np.isnan(score) else rounded(score) for score in scores) for symbol, scores in self.by_coin.items()
        }
        return SkillRecord(
            block_days=self.block_days, first_block=self.first_block, range_multiples=tuple(multiples.tolist()), by_coin=by_coin
        )

    def between(self, first_block: int, stop_block: int) -> "BlockSkill":
        """Of the blocks from one number up to another, which need not be there."""
        by_coin = {symbol: np.full(max(0, stop_block - first_block), np.nan) for symbol in self.by_coin}
        first, stop = max(first_block, self.first_block), min(stop_block, self.stop_block)
        for symbol, scores in self.by_coin.items() if first < stop else ():
            by_coin[symbol][first - first_block : stop - first_block] = scores[first - self.first_block : stop - self.first_block]
        return BlockSkill(self.block_days, first_block, by_coin)

    def then(self, later: "BlockSkill") -> "BlockSkill":
        """These blocks up to the first one of `later`, and the blocks of `later`."""
        if not self.by_coin:
            return later
        before = self.between(self.first_block, later.first_block)
        none = {symbol: np.full(later.stop_block - later.first_block, np.nan) for symbol in self.by_coin}
        missing = np.full(len(before), np.nan)
        by_coin = {symbol: np.append(before.by_coin.get(symbol, missing), scores) for symbol, scores in (none | later.by_coin).items()}
        return BlockSkill(self.block_days, self.first_block, by_coin)

    def __len__(self) -> int:
        return self.stop_block - self.first_block

    def day_of(self, block: int) -> int:
        """The first day of a block, counted from 1970-01-01."""
        return (self.first_block + block) * self.block_days


def block_days_of(interval_ms: int, horizon_candles: int) -> int:
    """The length of a block in days."""
    return -(-interval_ms * horizon_candles // DAY_MS)


def range_multiples(observations: Observations) -> Values:
    """The mean outcome of each output `(3,)`, in units of the window's range."""
    multiples: Values = _in_ranges(observations.actual_pct, observations.range_pct).mean(axis=0)
    return multiples


def block_skill(
    observations: Observations, predicted_pct: Values, multiples: Values, interval_ms: int, horizon_candles: int, stride: int = 1
) -> BlockSkill:
    """The skill of predictions `(n, 3)` for windows that are `stride` candles apart."""
    block_days = block_days_of(interval_ms, horizon_candles)
    block = observations.close_time // (block_days * DAY_MS)
    first, blocks = int(block.min()), int(np.ptp(block)) + 1
    actual = _in_ranges(observations.actual_pct, observations.range_pct)
    of_model = (actual - _in_ranges(predicted_pct, observations.range_pct)) ** 2
    of_baseline = (actual - multiples) ** 2
    min_windows = _MIN_SHARE * block_days * DAY_MS / (interval_ms * stride)
    by_coin = {}
    for symbol in dict.fromkeys(observations.symbols.tolist()):
        here = observations.symbols == symbol
        at = block[here] - first
        model, baseline = (
            np.column_stack([np.bincount(at, each, blocks) for each in errors[here].T]) for errors in (of_model, of_baseline)
        )
        total = model + baseline
        scores = np.where(total > 0, (baseline - model) / np.where(total > 0, total, 1.0), 0.0).mean(axis=1)
        by_coin[symbol] = np.where(np.bincount(at, minlength=blocks) >= min_windows, scores, np.nan)
    return BlockSkill(block_days, first, by_coin)


def _in_ranges(values_pct: Values, range_pct: Values) -> Values:
    """Values `(n, 3)` in units of ranges `(n,)`; 0 for a window whose price did not move."""
    moved = range_pct > 0
    scaled: Values = np.where(moved[:, None], values_pct / np.where(moved, range_pct, 1.0)[:, None], 0.0)
    return scaled
