"""The strategy: a frozen config, read from TOML, and the rule for entries."""

import importlib
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, ValidationError

from coinfarm.backtesting.market import FrozenSettings, Market
from coinfarm.backtesting.position_schedule import PositionLimits
from coinfarm.errors import CoinfarmError

Rule = Callable[[Mapping[str, Any]], Any]
"""A user's entry rule: from the columns of one coin's predictions, each `(n,)`, to `(n,)` of 1 (long), 0 (no entry) and -1 (short).

The columns are `symbol`, `close_time` (milliseconds UTC), `filled_candles`, `max_rise_pct`, `max_decline_pct` and `end_change_pct`. A row
may use its own values and those of earlier rows, never of later ones (`coinfarm backtest --check-lookahead` checks it).
"""


class Thresholds(NamedTuple):
    """The minimum prediction to trade: an end change of `min_end_change_pct` in the trade's direction, and a move in that direction that is
    `min_rise_to_decline` times as large as the one against it.
    """

    min_end_change_pct: float
    min_rise_to_decline: float


class Entry(FrozenSettings):
    """When to enter. A threshold that is left out is chosen on the first part of the predictions, and tested on the later ones."""

    min_end_change_pct: NonNegativeFloat | None = None
    min_rise_to_decline: NonNegativeFloat | None = None
    allow_short: bool = False
    """Not possible on a spot exchange."""
    rule: Annotated[str, Field(pattern=r"^[\w.]+:\w+$")] | None = None
    """`module:function`, a `Rule` instead of the thresholds; imported from the folder of the strategy file first."""
    order: Literal["market", "limit"] = "market"
    """A market order is filled at the next candle's open. A limit order is filled at its own price, with the maker fee and without
    slippage, but only if the price goes beyond it."""
    limit_offset_bps: Annotated[float, Field(ge=0, lt=10_000)] = 0.0
    """How much better than the signal's close the price of a limit order is: below it to buy, above it to sell short."""
    limit_valid_candles: Annotated[int, Field(ge=1, le=10_000)] = 5
    """A limit order that is not filled in this many candles is cancelled."""

    @property
    def valid_candles(self) -> int:
        """The number of candles in which an order can be filled."""
        return self.limit_valid_candles if self.order == "limit" else 1


class Exit(FrozenSettings):
    """When to exit: at a take-profit and a stop, set as multiples of the predicted favourable and adverse moves, or at the horizon.

    A multiple of 0 means no such order. Neither is closer to the entry price than `min_distance_pct`.
    """

    take_profit_share: NonNegativeFloat = 1.0
    stop_share: NonNegativeFloat = 1.0
    min_distance_pct: PositiveFloat = 0.1
    horizon_candles: PositiveInt = 30


class Size(FrozenSettings):
    """How much to stake: `stake_pct` of the capital, by default an equal part for each possible position. With `by = "edge"` the stake is
    proportional to the predicted end change, up to that amount at `full_edge_pct`.
    """

    capital: PositiveFloat = 10_000.0
    by: Literal["fixed", "edge"] = "fixed"
    stake_pct: Annotated[float, Field(gt=0, le=100)] | None = None
    full_edge_pct: PositiveFloat = 1.0
    positions_per_coin: PositiveInt = 1
    max_positions: PositiveInt | None = None
    """Over all coins; by default limited by `positions_per_coin` alone."""
    max_exposure_pct: Annotated[float, Field(gt=0, le=100)] | None = None
    """The maximum of all open stakes together, in percent of the capital. An order that would exceed it is not placed."""
    max_coin_exposure_pct: Annotated[float, Field(gt=0, le=100)] | None = None
    """Likewise for the open stakes of one coin."""

    @property
    def limits(self) -> PositionLimits:
        """The limits on open positions."""
        return PositionLimits(
            self.positions_per_coin, self.max_positions, self._share(self.max_coin_exposure_pct), self._share(self.max_exposure_pct)
        )

    def open_positions(self, coins: int) -> int:
        """The maximum number of positions at once."""
        limit = coins * self.positions_per_coin
        return limit if self.max_positions is None else min(limit, self.max_positions)

    def full_stake(self, coins: int) -> float:
        """The full stake of a position, in the quote currency. Raises `CoinfarmError` if all positions would need more than the capital."""
        positions = self.open_positions(coins)
        share = 1.0 / positions if self.stake_pct is None else self.stake_pct / 100.0
        if share * positions > 1.0 + 1e-9:
            raise CoinfarmError(
                f"size: {positions} positions of {self.stake_pct:g} % need more than the capital: lower stake_pct or max_positions"
            )
        return self.capital * share

    def _share(self, pct: float | None) -> float | None:
        return None if pct is None else self.capital * pct / 100.0


class Selection(FrozenSettings):
    """How thresholds are chosen by walk-forward, from a grid of quantiles of the first part's predictions."""

    first_part_pct: Annotated[float, Field(ge=10, le=90)] = 50.0
    folds: Annotated[int, Field(ge=1, le=50)] = 4
    end_change_steps: Annotated[int, Field(ge=1, le=100)] = 8
    rise_to_decline_steps: Annotated[int, Field(ge=1, le=100)] = 5
    min_trades: PositiveInt = 100
    """A variant with fewer trades is not chosen: its figures are luck."""


class Strategy(FrozenSettings):
    """When to enter and exit, how much to stake, and at which costs. Every field has a default."""

    name: str = "default"
    entry: Entry = Entry()
    exit: Exit = Exit()
    size: Size = Size()
    market: Market = Market()
    selection: Selection = Selection()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises `CoinfarmError` that names the invalid field."""
        try:
            return cls.model_validate({"name": path.stem} | tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise CoinfarmError(f"{path}: {error}") from None
        except ValidationError as error:
            first = error.errors()[0]
            raise CoinfarmError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None

    @property
    def has_open_thresholds(self) -> bool:
        """Whether a threshold must be chosen by walk-forward."""
        entry = self.entry
        return entry.rule is None and (entry.min_end_change_pct is None or entry.min_rise_to_decline is None)


def load_rule(name: str, folder: Path) -> Rule:
    """The function `module:function`, imported from `folder` first. Raises `CoinfarmError` if it does not exist."""
    module_name, _, function_name = name.partition(":")
    sys.path.insert(0, str(folder.absolute()))
    try:
        function = getattr(importlib.import_module(module_name), function_name, None)
    except ImportError as error:
        raise CoinfarmError(f"entry.rule {name}: {error}: the module must be in the folder of the strategy file, or be installed") from None
    finally:
        sys.path.remove(str(folder.absolute()))
    if not callable(function):
        raise CoinfarmError(f"entry.rule {name}: {module_name} has no function {function_name}")
    return function  # type: ignore[no-any-return]
