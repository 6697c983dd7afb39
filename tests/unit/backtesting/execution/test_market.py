"""The market's settings."""

import pytest
from pydantic import ValidationError

from coinfarm.backtesting.execution.exchange_fees import EXCHANGE_FEES
from coinfarm.backtesting.execution.market import Market
from coinfarm.errors import CoinfarmError


@pytest.mark.parametrize("exchange", EXCHANGE_FEES)
def test_an_exchange_sets_both_fees(exchange: str) -> None:
    market = Market.model_validate({"exchange": exchange})
    assert (market.maker_fee_bps, market.taker_fee_bps) == EXCHANGE_FEES[market.exchange]
    assert 0 < market.maker_fee_bps <= market.taker_fee_bps


def test_given_fees_override_those_of_the_exchange() -> None:
    market = Market(exchange="kraken", maker_fee_bps=3)
    assert (market.maker_fee_bps, market.taker_fee_bps) == (3, EXCHANGE_FEES["kraken"].taker_bps)
    assert Market.model_validate(market.model_dump()) == market


def test_a_coin_overrides_only_the_given_costs() -> None:
    market = Market.model_validate({"slippage_bps": 7, "coins": {"BTCUSDT": {"taker_fee_bps": 1, "borrow_bps_per_day": 0}}})
    coin = market.for_coin("BTCUSDT")
    assert (coin.taker_fee_bps, coin.borrow_bps_per_day, coin.slippage_bps) == (1, 0, 7)
    assert market.for_coin("ETHUSDT") == market


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"exchange": "mtgox"}, "exchange"),
        ({"exchange": 1}, "exchange"),
        ({"maintenance_margin_pct": 100}, "maintenance_margin_pct"),
        ({"trailing_candles": 0}, "trailing_candles"),
        ({"size_slippage_bps": -1}, "size_slippage_bps"),
        ({"coins": {"BTCUSDT": {"taker_fee_bps": -1}}}, "taker_fee_bps"),
        ({"coins": {"BTCUSDT": {"min_order": 1}}}, "min_order"),
    ],
)
def test_names_the_invalid_field(given: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Market.model_validate(given)
    assert raised.value.errors()[0]["loc"][-1] == field


def test_costs_of_a_coin_without_predictions_are_an_error():
    market = Market.model_validate({"coins": {"BTC/USD": {"taker_fee_bps": 1}}})
    with pytest.raises(CoinfarmError, match="BTC/USD"):
        market.check_coins(["BTCUSD"])
    market.check_coins(["BTC/USD", "ETHUSD"])
