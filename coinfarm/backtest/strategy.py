"""The strategy: a frozen config, read from TOML, and the rule by which it enters."""

import importlib
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt, ValidationError

from coinfarm.errors import CoinfarmError

BINANCE_US_FEES_AS_OF = "2026-11-22"
"""When the two fees below were looked up: the general tier, without a BNB discount, as ccxt and Hummingbot carry it. The exchange has
changed its schedule more than once, and has pairs of their own: put in what it says of your account."""
BINANCE_US_MAKER_FEE_BPS = 10.0
BINANCE_US_TAKER_FEE_BPS = 10.0

Rule = Callable[[Mapping[str, Any]], Any]
"""A user's own way to enter: the predictions' columns of one coin, each `(n,)`, to `(n,)` of 1 (long), 0 (nothing) and -1 (short).

The columns are `symbol`, `close_time` (milliseconds UTC), `filled_candles`, `max_rise_pct`, `max_decline_pct` and `end_change_pct`. A row
may use what stands in it and above it, never below: that would be the future (`coinfarm backtest --check-lookahead` tries it).
"""


class Thresholds(NamedTuple):
    """What a prediction must reach to be traded: a change of `min_end_change_pct` in the trade's direction, and a move in that direction
    `min_rise_to_decline` times as large as the one against it.
    """

    min_end_change_pct: float
    min_rise_to_decline: float


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Entry(_Frozen):
    """When to enter. A threshold that is left out is chosen on the first part of the predictions, and judged on the later ones."""

    min_end_change_pct: NonNegativeFloat | None = None
    min_rise_to_decline: NonNegativeFloat | None = None
    allow_short: bool = False
    """A spot exchange lends no coins."""
    rule: Annotated[str, Field(pattern=r"^[\w.]+:\w+$")] | None = None
    """`module:function`, a `Rule` of one's own instead of the thresholds; looked for beside the strategy file first."""


class Exit(_Frozen):
    """When to leave: at a take-profit and a stop, shares of the predicted move with and against the trade, or at the horizon.

    A share of 0 is no such order. Neither is nearer to the entry than `min_distance_pct`.
    """

    take_profit_share: NonNegativeFloat = 1.0
    stop_share: NonNegativeFloat = 1.0
    min_distance_pct: PositiveFloat = 0.1
    horizon_candles: PositiveInt = 30


class Size(_Frozen):
    """How much to stake: `stake_pct` of the capital (by default an equal part for each position that there may be), all of it, or `by` the
    predicted edge: in proportion to the predicted end change, and all of it from `full_edge_pct` on.
    """

    capital: PositiveFloat = 10_000.0
    by: Literal["fixed", "edge"] = "fixed"
    stake_pct: Annotated[float, Field(gt=0, le=100)] | None = None
    full_edge_pct: PositiveFloat = 1.0
    positions_per_coin: PositiveInt = 1
    max_positions: PositiveInt | None = None
    """Over all coins; without it every coin may have its own."""

    def positions(self, coins: int) -> int:
        """How many there may be at once."""
        most = coins * self.positions_per_coin
        return most if self.max_positions is None else min(most, self.max_positions)

    def full_stake(self, coins: int) -> float:
        """In the quote currency. Raises `CoinfarmError` where all positions together would need more than the capital."""
        positions = self.positions(coins)
        share = 1.0 / positions if self.stake_pct is None else self.stake_pct / 100.0
        if share * positions > 1.0 + 1e-9:
            raise CoinfarmError(
                f"size: {positions} positions of {self.stake_pct:g} % need more than the capital: lower stake_pct or max_positions"
            )
        return self.capital * share


class Market(_Frozen):
    """What trading costs, in basis points of what is traded, and how much of a candle's volume one may be."""

    maker_fee_bps: NonNegativeFloat = BINANCE_US_MAKER_FEE_BPS
    taker_fee_bps: NonNegativeFloat = BINANCE_US_TAKER_FEE_BPS
    slippage_bps: NonNegativeFloat = 2.0
    volume_share_pct: Annotated[float, Field(gt=0, le=100)] = 10.0
    min_order: NonNegativeFloat = 10.0
    """In the quote currency: what the volume leaves less of is not traded at all."""


class Selection(_Frozen):
    """How thresholds are chosen: by walk-forward, on a grid of quantiles of the first part's predictions."""

    first_part_pct: Annotated[float, Field(ge=10, le=90)] = 50.0
    folds: Annotated[int, Field(ge=1, le=50)] = 4
    end_change_steps: Annotated[int, Field(ge=1, le=100)] = 8
    rise_to_decline_steps: Annotated[int, Field(ge=1, le=100)] = 5
    min_trades: PositiveInt = 100
    """A variant with fewer trades in the first part is not chosen: its figures are luck."""


class Strategy(_Frozen):
    """What is traded, how, and at which costs. Every field has a default."""

    name: str = "default"
    entry: Entry = Entry()
    exit: Exit = Exit()
    size: Size = Size()
    market: Market = Market()
    selection: Selection = Selection()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises `CoinfarmError` that names the field at fault."""
        try:
            return cls.model_validate({"name": path.stem} | tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise CoinfarmError(f"{path}: {error}") from None
        except ValidationError as error:
            first = error.errors()[0]
            raise CoinfarmError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None

    @property
    def chooses(self) -> bool:
        """Whether a threshold is left to be chosen."""
        entry = self.entry
        return entry.rule is None and (entry.min_end_change_pct is None or entry.min_rise_to_decline is None)


def load_rule(name: str, folder: Path) -> Rule:
    """The function `module:function`, its module looked for in `folder` first. Raises `CoinfarmError` where there is none."""
    module_name, _, function_name = name.partition(":")
    sys.path.insert(0, str(folder.absolute()))
    try:
        function = getattr(importlib.import_module(module_name), function_name, None)
    except ImportError as error:
        raise CoinfarmError(f"entry.rule {name}: {error}: the module must lie beside the strategy file, or be installed") from None
    finally:
        sys.path.remove(str(folder.absolute()))
    if not callable(function):
        raise CoinfarmError(f"entry.rule {name}: {module_name} has no function {function_name}")
    return function  # type: ignore[no-any-return]
