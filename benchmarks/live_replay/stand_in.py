"""`python -m benchmarks.live_replay.stand_in`: an exchange on this machine, to try `coinfarm watch` without the internet.

It speaks the REST API and the websocket of Binance.us, and has synthetic candles of three coins up to the present.
"""

import time

import click

from benchmarks.live_replay.scenario import SYMBOLS, stored_symbol
from coinfarm.candles.candles import Candles
from coinfarm.candles.synthetic import generate
from tests.support.live_exchange import LiveExchange
from tests.support.synthetic_candles import MINUTE_MS

_MINUTES_BEFORE, _MINUTES_AFTER = 1_440, 2_880


@click.command(epilog="Example: python -m benchmarks.live_replay.stand_in --port 8090")
@click.option("--port", type=click.IntRange(0, 65535), default=8090, show_default=True, help="The port to listen on; 0 for any free one.")
def main(port: int) -> None:
    """Run an exchange of synthetic BTC/USDT, ETH/USDT and LTC/USDT for two days."""
    now_ms = int(time.time() * 1000)
    start_ms = now_ms // MINUTE_MS * MINUTE_MS - _MINUTES_BEFORE * MINUTE_MS
    candles = {}
    for seed, symbol in enumerate(map(stored_symbol, SYMBOLS)):
        made = generate("DEMO", "1m", start_ms, _MINUTES_BEFORE + _MINUTES_AFTER, seed)
        candles[symbol] = Candles(symbol, "1m", made.open_time, made.columns, made.filled)
    with LiveExchange(candles, int(time.time() * 1000)).running(port) as exchange:
        click.echo(f"coinfarm watch {' '.join(SYMBOLS)} --store build/live --exchange-url {exchange.url}")
        time.sleep(60 * _MINUTES_AFTER)


if __name__ == "__main__":
    main()
