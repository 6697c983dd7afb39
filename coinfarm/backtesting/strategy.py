"""The strategy: a frozen config, read from TOML."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, ValidationError, model_validator

from coinfarm.backtesting.execution.market import MAX_MONEY, Count, Factor, FrozenSettings, Market, PositiveFactor
from coinfarm.backtesting.execution.position_schedule import PositionLimits
from coinfarm.backtesting.rules.user_rule import Rule, StepRule, load_rule
from coinfarm.backtesting.unused_fields import Usage, unused_fields_text
from coinfarm.errors import CoinfarmError

_RuleName = Annotated[str, Field(pattern=r"^[\w.]+:\w+$")]


class Thresholds(NamedTuple):
    """The minimum prediction to trade: an end change of `min_end_change_pct` in the trade's direction, and a move in that direction that is
    `min_rise_to_decline` times as large as the one against it.
    """

    min_end_change_pct: float
    min_rise_to_decline: float


class Entry(FrozenSettings):
    """When to enter: at predictions that reach both thresholds, or by a rule of your own. A threshold that is left out is chosen on the
    first part of the predictions, and tested on the later ones.
    """

    min_end_change_pct: Factor | None = None
    """The minimum predicted end change in the trade's direction, in percent."""
    min_rise_to_decline: Factor | None = None
    """The minimum of the predicted move in the trade's direction, divided by the predicted move against it."""
    allow_short: bool = False
    """Whether to sell short where the price is predicted to fall. Not possible on a spot exchange."""
    rule: _RuleName | None = None
    """A Python function that decides instead of the thresholds, as `module:function`. It is called once for each coin, with columns. The
    module is in the folder of the strategy file, or installed."""
    step_rule: _RuleName | None = None
    """A Python function or class that decides instead of the thresholds, as `module:name`. It is called for one prediction after the other,
    and sees the candles up to it and the open positions."""
    order: Literal["market", "limit"] = "market"
    """A market order is filled at the next candle's open. A limit order is filled at its own price, with the maker fee and without
    slippage, but only if the price goes beyond it."""
    limit_offset_bps: Annotated[float, Field(ge=0, lt=10_000)] = 0.0
    """With `order = "limit"`: how much better than the signal's close the price is, below it to buy, above it to sell short."""
    limit_valid_candles: Annotated[int, Field(ge=1, le=10_000)] = 5
    """With `order = "limit"`: an order that is not filled in this many candles is cancelled."""

    @property
    def has_rule(self) -> bool:
        """Whether a rule takes the place of the thresholds."""
        return self.rule is not None or self.step_rule is not None

    @property
    def valid_candles(self) -> int:
        """The number of candles in which an order can be filled."""
        return self.limit_valid_candles if self.order == "limit" else 1


class Exit(FrozenSettings):
    """When to exit: at a take-profit, at a stop, or at the horizon, whichever comes first."""

    take_profit_share: Factor = 1.0
    """The distance of the take-profit from the entry price, as a multiple of the predicted move in the trade's direction. 0 is none."""
    stop_share: Factor = 1.0
    """The distance of the stop, as a multiple of the predicted move against the trade. 0 is none."""
    min_distance_pct: PositiveFactor = 0.1
    """The minimum of both distances, in percent of the entry price. What a rule sets may be smaller."""
    horizon_candles: Count = 30
    """A position that is still open after this many candles is closed at the next open. If it is left out, the model's
    first horizon; of a model with several, the predictions of this horizon are traded."""


class Size(FrozenSettings):
    """How much to stake, and the limits on open positions."""

    capital: Annotated[float, Field(gt=0, le=MAX_MONEY)] = 10_000.0
    """In the quote currency. Profits are not added to it: stakes stay the same."""
    by: Literal["fixed", "edge"] = "fixed"
    """`fixed` stakes the full stake; `edge` a part of it, in proportion to the predicted end change in the trade's direction."""
    stake_pct: Annotated[float, Field(gt=0, le=100)] | None = None
    """The full stake of a position, in percent of the capital; by default an equal part for each possible position."""
    full_edge_pct: PositiveFactor = 1.0
    """With `by = "edge"`: the predicted end change, in percent, from which on the full stake is used."""
    positions_per_coin: Count = 1
    """The maximum number of open positions of one coin."""
    max_positions: Count | None = None
    """The maximum number of open positions of all coins; by default limited by `positions_per_coin` alone."""
    max_exposure_pct: Annotated[float, Field(gt=0, le=100)] | None = None
    """The maximum of all open stakes together, in percent of the capital. An order that would exceed it is not placed. By default none."""
    max_coin_exposure_pct: Annotated[float, Field(gt=0, le=100)] | None = None
    """The maximum of the open stakes of one coin, likewise."""

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
    """The part of the time that only serves to choose thresholds, in percent."""
    folds: Annotated[int, Field(ge=1, le=50)] = 4
    """The number of equal parts of the rest; before each, thresholds are chosen again."""
    end_change_steps: Annotated[int, Field(ge=1, le=100)] = 8
    """The number of values of `min_end_change_pct` that are tried."""
    rise_to_decline_steps: Annotated[int, Field(ge=1, le=100)] = 5
    """The number of values of `min_rise_to_decline` that are tried with each of them."""
    min_trades: Count = 100
    """A variant with fewer trades is not chosen: its figures are luck."""


class Strategy(FrozenSettings):
    """When to enter and exit, how much to stake, and at which costs. Every field has a default."""

    name: str = "default"
    """The name in reports and in the list of tried strategies; by default that of the file."""
    entry: Entry = Entry()
    exit: Exit = Exit()
    size: Size = Size()
    market: Market = Market()
    selection: Selection = Selection()

    @model_validator(mode="after")
    def _check_fields(self) -> Self:
        if self.entry.rule is not None and self.entry.step_rule is not None:
            raise ValueError("entry.rule and entry.step_rule exclude each other: remove one")
        if text := unused_fields_text(self, Usage(has_rule=self.entry.has_rule)):
            raise ValueError(text)
        return self

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises `CoinfarmError` that names the invalid field."""
        try:
            return cls.model_validate({"name": path.stem} | tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise CoinfarmError(f"{path}: {error}") from None
        except ValidationError as error:
            first = error.errors()[0]
            text = first["msg"].removeprefix("Value error, ")
            raise CoinfarmError(": ".join([str(path), *filter(None, [".".join(map(str, first["loc"]))]), text])) from None

    def load_rule(self, folder: Path) -> Rule | StepRule | None:
        """The rule, imported from `folder` first. Raises `RuleError`."""
        if self.entry.step_rule is not None:
            return StepRule(load_rule(self.entry.step_rule, folder))
        return None if self.entry.rule is None else load_rule(self.entry.rule, folder)

    def at_horizon(self, horizon_candles: int) -> Self:
        """The same strategy with another `exit.horizon_candles`."""
        return self.model_copy(update={"exit": self.exit.model_copy(update={"horizon_candles": horizon_candles})})

    @property
    def has_open_thresholds(self) -> bool:
        """Whether a threshold must be chosen by walk-forward."""
        entry = self.entry
        return not entry.has_rule and (entry.min_end_change_pct is None or entry.min_rise_to_decline is None)
