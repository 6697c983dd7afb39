"""The table of coins and quote currencies: how a symbol without a separator is split, and which names mean the same coin.

Add a name here when a coin or a currency is missing; nothing else needs to change.
"""

_DOLLARS = """
    USD USDT USDC BUSD FDUSD TUSD USDP USDD USDE USDS USD1 GUSD PYUSD RLUSD HUSD PAX DAI UST ZUSD
"""
_OTHER_QUOTES = """
    EUR EURI AEUR EURT ZEUR GBP ZGBP JPY ZJPY CHF AUD ZAUD CAD ZCAD NZD SEK NOK DKK PLN CZK HUF RON BGN UAH RUB TRY BRL ARS MXN COP CLP
    KRW CNY CNH CNHT HKD SGD INR IDR IDRT BIDR THB VND BVND PHP MYR ZAR NGN AED ILS
    BTC XBT XXBT ETH XETH BNB SOL TRX XRP DOGE DOT KCS OKB HT
"""
_COINS = """
    BTC ETH BNB XRP SOL ADA DOGE TRX DOT LTC BCH BSV LINK AVAX XLM EOS ETC XMR DASH ZEC NEO IOTA XTZ ATOM ALGO VET FIL ICP NEAR APT ARB
    OP SUI SEI TIA INJ TON HBAR POL UNI AAVE MKR SNX CRV COMP YFI SUSHI GRT LPT BAT ZRX OMG QTUM ONT ICX ZIL WAVES LSK SC DCR DGB RVN
    KSM EGLD THETA TFUEL FTM S SAND MANA AXS ENJ CHZ GALA APE IMX FLOW KAVA ROSE ONE CELO MINA AR STX RUNE LDO RPL ENS GMX DYDX PEPE
    SHIB FLOKI BONK WIF JUP PYTH JTO ORDI SATS WLD FET AGIX OCEAN RENDER TAO KAS CFX BLUR ANKR STORJ SKL BAL UMA KNC REN LRC BAND NMR
    OXT CVC REP GNO HOT HNT XEM BTG BTT WIN JST SUN TWT CAKE LUNA LUNC USTC PAXG XAUT HYPE ENA ETHFI PENDLE STRK ZK ZRO W DYM MANTA ALT
    TRUMP XT STETH DEMO
"""

DOLLARS = frozenset(_DOLLARS.split())
"""Quotes that count as one: a dollar, and what is pegged to it (UST is Bitfinex's name of USDT). Their prices differ by basis points."""
QUOTES = DOLLARS.union(_OTHER_QUOTES.split())
"""The quote currencies that are recognised without a slash."""

SAME_COIN = {
    "XBT": "BTC",
    "XXBT": "BTC",
    "WBTC": "BTC",
    "XETH": "ETH",
    "WETH": "ETH",
    "XLTC": "LTC",
    "XXRP": "XRP",
    "XETC": "ETC",
    "XXMR": "XMR",
    "XZEC": "ZEC",
    "XXLM": "XLM",
    "STR": "XLM",
    "XDG": "DOGE",
    "XXDG": "DOGE",
    "BCC": "BCH",  # Bitcoin Cash at Binance until November 2018
    "BCHABC": "BCH",
    "BCHSV": "BSV",
    "DSH": "DASH",
    "IOT": "IOTA",
    "MIOTA": "IOTA",
    "QTM": "QTUM",
    "MATIC": "POL",
    "RNDR": "RENDER",
    "1000SHIB": "SHIB",
    "1000PEPE": "PEPE",
    "1000BONK": "BONK",
    "1000FLOKI": "FLOKI",
}
"""Other names of a coin: an exchange's own, from before it was renamed, wrapped, or by the thousand."""

COINS = frozenset(_COINS.split()) | SAME_COIN.keys()
"""Known coins, which decide where a symbol is split: DOTUSD is DOT against USD, not DO against TUSD."""
