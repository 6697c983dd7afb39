"""The market that a strategy trades in: its costs, and the limits on orders."""

from collections.abc import Collection, Mapping
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from coinfarm.backtesting.execution.exchange_fees import EXCHANGE_FEES, Exchange
from coinfarm.errors import CoinfarmError

_DEFAULT_EXCHANGE: Exchange = "binance_us"
TRAILING_CANDLES = 60
"""The default number of candles that trailing volumes and ranges are computed from."""


# The limits are far beyond what makes sense, and keep sums of money finite.
Bps = Annotated[float, Field(ge=0, le=10_000)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Factor = Annotated[float, Field(ge=0, le=1_000_000)]
PositiveFactor = Annotated[float, Field(gt=0, le=1_000_000)]
MAX_MONEY = 1e15


class FrozenSettings(BaseModel):
    """A table of a strategy file. Unknown fields, infinite numbers and values of another type are invalid. Docstrings are for users."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class CoinCosts(FrozenSettings):
    """The costs of one coin. A field that is left out has the value under `[market]`."""

    maker_fee_bps: Bps | None = None
    """The fee of limit orders."""
    taker_fee_bps: Bps | None = None
    """The fee of market orders."""
    slippage_bps: Bps | None = None
    """The fixed part of the slippage."""
    volatility_slippage: Factor | None = None
    """The slippage per unit of the trailing mean range of candles."""
    size_slippage_bps: Bps | None = None
    """The slippage of an order as large as a candle's trailing median volume."""
    borrow_bps_per_day: Bps | None = None
    """The interest on a short position's stake."""
    liquidation_fee_bps: Bps | None = None
    """The additional fee of a liquidation."""


class Market(FrozenSettings):
    """The costs of trading, in basis points of the amount traded, and the limits on orders.

    The slippage of a market order is `slippage_bps` + `volatility_slippage` × r + `size_slippage_bps` × √(stake / v), where r is the
    trailing mean range of candles in bps and v their trailing median volume in the quote currency, both at the signal's close. The square
    root is the usual law of market impact: Tóth et al., "Anomalous price impact and the critical nature of liquidity in financial
    markets", Physical Review X 1, 021006 (2011).
    """

    exchange: Exchange = _DEFAULT_EXCHANGE
    """Sets the fees that are not given: those of the exchange's lowest tier. Check the fees of your own account."""
    maker_fee_bps: Bps = Field(default_factory=lambda given: EXCHANGE_FEES[given["exchange"]].maker_bps)
    """The fee of limit orders, in bps of the amount traded."""
    taker_fee_bps: Bps = Field(default_factory=lambda given: EXCHANGE_FEES[given["exchange"]].taker_bps)
    """The fee of market orders, in bps of the amount traded."""
    slippage_bps: Bps = 2.0
    """The fixed part of the slippage of market orders."""
    volatility_slippage: Factor = 0.0
    """The slippage of market orders per unit of the trailing mean range of candles: with 0.1, a tenth of the range."""
    size_slippage_bps: Bps = 0.0
    """The slippage of a market order as large as a candle's trailing median volume; a quarter of the size has half of it."""
    trailing_candles: Annotated[int, Field(ge=1, le=10_000)] = TRAILING_CANDLES
    """The number of candles, up to the signal's, from which volumes and ranges are computed. A candle without trades has a volume of 0."""
    volume_share_pct: Annotated[float, Field(gt=0, le=100)] = 10.0
    """The maximum share of a candle's volume that one order is filled with; and the maximum size of a position, as a share of the trailing
    median volume of a candle."""
    min_order: Annotated[float, Field(ge=0, le=MAX_MONEY)] = 10.0
    """In the quote currency: an order that the volume limits to less is not placed."""
    borrow_bps_per_day: Bps = 3.0
    """With `allow_short = true`: the interest on a short position's stake, for the time that it is held."""
    maintenance_margin_pct: Annotated[float, Field(ge=0, lt=100)] = 10.0
    """With `allow_short = true`: a short position, whose margin is its stake, is liquidated when no more than this share of the margin is
    left."""
    liquidation_fee_bps: Bps = 100.0
    """With `allow_short = true`: the fee of a liquidation, in addition to the taker fee."""
    coins: Mapping[str, CoinCosts] = {}
    """Costs of single coins, as tables such as `[market.coins.BTCUSDT]`."""

    def check_coins(self, symbols: Collection[str]) -> None:
        """Raises `CoinfarmError` for costs of a coin that is not among the symbols: it may be a typing error."""
        unknown = [name for name in self.coins if name not in symbols]
        if unknown:
            raise CoinfarmError(f"market.coins.{unknown[0]}: there are no predictions of it, only of {', '.join(symbols)}")

    def for_coin(self, symbol: str) -> Self:
        """The market with the costs of one coin."""
        costs = self.coins.get(symbol)
        return self if costs is None else self.model_copy(update={**costs.model_dump(exclude_none=True), "coins": {}})
