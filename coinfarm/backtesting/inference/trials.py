"""The register of trials: the strategies that were tried on the same predictions, with their daily profits.

The best of many strategies may be luck, so a verdict counts all of them. The register is a file in the folder of the predictions. What was
run identifies a trial, not names: the strategy's fields, the source of its rule, and the digest of the predictions.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from coinfarm.backtesting.inference.edge import DailyProfit
from coinfarm.backtesting.rules.rule_source import rule_source
from coinfarm.backtesting.rules.user_rule import Rule, StepRule
from coinfarm.backtesting.stored_predictions import CoinPredictions
from coinfarm.backtesting.strategy import Strategy
from coinfarm.backtesting.unused_fields import Usage, used_settings
from coinfarm.errors import CoinfarmError, Conflict, NotFound
from coinfarm.storage import Storage, open_storage

FILE_NAME = "backtest-runs.json"
MAX_TRIALS = 2_000
_MAX_ATTEMPTS = 5
_SIGNIFICANT_DIGITS = 7


class Trial(BaseModel):
    """One strategy's daily profits from `first_day` on, in the quote currency; `predictions` is the digest of what it was tried on."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str
    predictions: str
    first_day: int
    net: tuple[float, ...]
    stake: tuple[float, ...]

    @property
    def edge_bps(self) -> float:
        """The net profit per amount staked; NaN without a trade."""
        staked = sum(self.stake)
        return 1e4 * sum(self.net) / staked if staked else nan

    def on_days(self, first_day: int, days: int) -> DailyProfit:
        """The profits on those days; 0 on days that the trial did not cover."""
        profit = np.zeros((2, days))
        start, stop = max(first_day, self.first_day), min(first_day + days, self.first_day + len(self.net))
        if start < stop:
            own = slice(start - self.first_day, stop - self.first_day)
            profit[:, start - first_day : stop - first_day] = self.net[own], self.stake[own]
        return DailyProfit(profit[0][:, None], profit[1][:, None])


class _Register(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    trials: dict[str, Trial]


@dataclass(frozen=True)
class TrialKey:
    """What identifies a trial, and the digest of its predictions."""

    key: str
    predictions: str


def trial_key(strategy: Strategy, rule: Rule | StepRule | None, predictions: Sequence[CoinPredictions]) -> TrialKey:
    """The key is the same for the same trades: it depends on neither names nor folders."""
    usage = Usage(has_rule=rule is not None)
    settings = {each.symbol: used_settings(strategy, each.symbol, usage) for each in predictions}
    source = None
    if rule is not None:
        kind, function = ("step_rule", rule.function) if isinstance(rule, StepRule) else ("rule", rule)
        source = {kind: _sha256(rule_source(function).encode())}
    digest = predictions_digest(predictions)
    return TrialKey(_sha256(json.dumps([settings, source, digest], sort_keys=True).encode()), digest)


def predictions_digest(predictions: Sequence[CoinPredictions]) -> str:
    """Of the coins, times and values."""
    parts = [f"{each.symbol} {each.interval}".encode() + each.close_time.tobytes() + each.values_pct.tobytes() for each in predictions]
    return _sha256(b"".join(parts))


def new_trial(name: str, key: TrialKey, first_day: int, profit: DailyProfit) -> Trial:
    """The trial of a strategy with these daily profits `(days, 1)`."""
    return Trial(
        name=name, predictions=key.predictions, first_day=first_day, net=_rounded(profit.net[:, 0]), stake=_rounded(profit.stake[:, 0])
    )


def register_trial(predictions_root: str, key: TrialKey, trial: Trial) -> list[Trial]:
    """Store the trial, and return the other trials on the same predictions.

    Raises `StorageError` if the register cannot be stored, `CoinfarmError` if the stored file is not a register, or is full.
    """
    storage = _folder(predictions_root)
    # A rule may read parameters that its source does not show: other profits are another trial.
    name = f"{key.key}-{_sha256(trial.model_dump_json(include={'first_day', 'net', 'stake'}).encode())}"
    for _ in range(_MAX_ATTEMPTS):
        trials, etag = _read(storage)
        others = [each for at, each in trials.items() if at != name and each.predictions == key.predictions]
        if name in trials:
            return others
        if len(trials) >= MAX_TRIALS:
            raise CoinfarmError(f"{storage.uri(FILE_NAME)} has {MAX_TRIALS:,} trials: on other predictions, use another folder")
        register = _Register(trials=trials | {name: trial})
        try:
            data = register.model_dump_json(indent=None).encode() + b"\n"
            storage.write(FILE_NAME, data, content_type="application/json", if_match=etag, create_only=etag is None)
        except Conflict:
            continue
        return others
    raise Conflict(f"{storage.uri(FILE_NAME)} is being written by other backtests: try again when they are done")


def _read(storage: Storage) -> tuple[dict[str, Trial], str | None]:
    try:
        blob = storage.read(FILE_NAME)
    except NotFound:
        return {}, None
    try:
        return _Register.model_validate_json(blob.data).trials, blob.etag
    except ValidationError:
        uri = storage.uri(FILE_NAME)
        raise CoinfarmError(f"{uri} is not a valid register of trials: move it away, and a new one will be created") from None


def _folder(predictions_root: str) -> Storage:
    if predictions_root.endswith(".parquet"):
        return open_storage(predictions_root.rpartition("/")[0] or ".")
    return open_storage(predictions_root)


def _rounded(values: "np.ndarray") -> tuple[float, ...]:
    return tuple(float(f"{value:.{_SIGNIFICANT_DIGITS}g}") for value in values.tolist())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
