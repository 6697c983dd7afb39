import pytest

from coinfarm.candles.coins import COINS, SAME_COIN
from coinfarm.candles.symbol import canonical_symbol, coin_of, same_coin, split_symbol
from coinfarm.errors import InvalidInput


@pytest.mark.parametrize(
    ("spellings", "canonical"),
    [
        (("BTC/USDT", "BTC-USDT", "BTC_USDT", "btcusdt", "btc/usdt", "Btc_Usdt", "BTCUSDT"), "BTCUSDT"),
        (("ETH/BTC", "eth-btc", "ETHBTC"), "ETHBTC"),
        (("FOO/BAR", "FOOBAR"), "FOOBAR"),
        (("FOO-BAR", "foo_bar"), "FOO-BAR"),
        (("BTC/USDT:USDT", "BTC_USDT_USDT", "BTC-USDT-USDT", "BTCUSDT-USDT"), "BTCUSDT-USDT"),
        (("BTC/USDT:USDT-240329", "BTCUSDT-USDT-240329"), "BTCUSDT-USDT-240329"),
        (("BTC-USDT-SWAP", "BTCUSDT-SWAP"), "BTCUSDT-SWAP"),
        (("BTCUSD_PERP", "BTCUSD-PERP", "BTC-USD-PERP"), "BTCUSD-PERP"),
        (("BTCUSDT_240329",), "BTCUSDT-240329"),
        (("NEW/USDT:USDT", "NEWUSDT-USDT"), "NEWUSDT-USDT"),
        (("BTC/USD:BTC", "BTCUSD-BTC"), "BTCUSD-BTC"),
        (("WETH/USDT", "WETH-USDT"), "WETHUSDT"),
        (("TUSD-USDT", "TUSD/USDT"), "TUSDUSDT"),
        (("BTCUSDT.P",), "BTCUSDT.P"),
        (("BRK.B",), "BRK.B"),
        (("tBTCUSD",), "TBTCUSD"),
        (("XBTUSD", "XBT/USD"), "XBTUSD"),
        (("DEMO", "demo"), "DEMO"),
    ],
)
def test_every_spelling_of_a_market_is_one(spellings, canonical):
    assert {canonical_symbol(spelling) for spelling in spellings} == {canonical}
    assert canonical_symbol(canonical) == canonical


@pytest.mark.parametrize("text", ["", "/", "BTC/", "/USDT", "BTC/USDT/X", "../x", "BTC USDT", "BTC:USDT", "-BTC", "BTC\n", "ß", 33 * "A"])
def test_rejects_what_is_not_a_symbol(text):
    with pytest.raises(InvalidInput) as raised:
        canonical_symbol(text)
    assert [error.pointer for error in raised.value.errors] == ["/symbol"]


@pytest.mark.parametrize(
    ("symbol", "base", "quote"),
    [
        ("BTCUSDT", "BTC", "USDT"),
        ("BTCBUSD", "BTC", "BUSD"),
        ("BNBUSD", "BNB", "USD"),
        ("DOTUSD", "DOT", "USD"),
        ("DOTTUSD", "DOT", "TUSD"),
        ("NEWUSDC", "NEW", "USDC"),
        ("NEWBUSD", "NEW", "BUSD"),
        ("eth/btc", "ETH", "BTC"),
        ("BTC/USDT:USDT", "BTC", "USDT"),
        ("XXBTZUSD", "XXBT", "ZUSD"),
        ("AAPL", "AAPL", ""),
        ("USD", "USD", ""),
    ],
)
def test_splits_at_a_known_quote(symbol, base, quote):
    assert split_symbol(symbol) == (base, quote)


@pytest.mark.parametrize(
    "symbol",
    [
        "BTCUSDT",
        "BTCUSD",
        "BTCBUSD",
        "BTCUSDC",
        "BTCFDUSD",
        "BTC/USDT",
        "XBTUSD",
        "XXBTZUSD",
        "BTCUST",
        "BTC/USDT:USDT",
        "BTCUSD_PERP",
        "BTC",
    ],
)
def test_one_coin_against_any_dollar(symbol):
    assert coin_of(symbol) == "BTC"


def test_other_coins_and_other_quotes_are_others():
    found = [coin_of(symbol) for symbol in ("BTCUSDT", "BTCEUR", "ETHBTC", "ETHXBT", "ETHUSDT", "WBTCETH", "DEMOBTC", "DEMOETH", "DEMO1")]
    assert found == ["BTC", "BTC/EUR", "ETH/BTC", "ETH/BTC", "ETH", "BTC/ETH", "DEMO/BTC", "DEMO/ETH", "DEMO1"]


def test_any_text_can_be_compared():
    pairs = [("BTCUSDT", "XBT/USD"), ("BTCUSDT", "ETHUSDT"), ("my coin", "my coin"), ("my coin", "BTCUSD")]
    assert [same_coin(*pair) for pair in pairs] == [True, False, True, False]


def test_renamed_coins_end_at_a_name_that_is_not_renamed():
    assert not SAME_COIN.keys() & set(SAME_COIN.values())
    assert set(SAME_COIN.values()) <= COINS
