"""The process under test: `coinfarm watch` at an exchange whose clock runs faster than time.

`python -m benchmarks.live_replay.replayed_watcher URL STORE SPEED SYMBOL…` prints a line of JSON for each prediction until SIGTERM. The
settings of the service come from the environment.
"""

import os
import signal
import sys

from coinfarm.cli.live_view import JsonLines
from coinfarm.live.live_store import LiveStore
from coinfarm.live.watch_session import WatchOptions, WatchSession
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings
from coinfarm.storage import open_storage


def main(url: str, root: str, speed: str, *symbols: str) -> None:
    service = Service(Settings.from_environment(os.environ))
    service.model()
    options = WatchOptions("binanceus", symbols, "1m", exchange_url=url, clock_speed=float(speed))
    session = WatchSession(options, LiveStore(open_storage(root)), service, JsonLines())
    signal.signal(signal.SIGTERM, lambda number, _: session.stop(number))
    session.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
