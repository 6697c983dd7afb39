"""A live store as `coinfarm watch` would have written it."""

import json
from pathlib import Path
from typing import Any

from coinfarm.candles.candles import Candles
from coinfarm.live.live_rows import live_rows
from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.outputs import OUTPUT_COLUMNS
from coinfarm.storage.folder import FolderStorage
from image_render.windows import Columns
from tests.support.repository import ROOT
from tests.support.synthetic_candles import minutes

FEED = LiveFeed("binanceus", "1m")
LIVE_CANDLES = minutes(300)
PREDICTED_PCT = (0.6, -0.5, 0.1)
_WINDOW = 200
REFERENCE_VERSION = json.loads((ROOT / "coinfarm/reference_model/current.json").read_text())["version"]


def filled_live_store(folder: Path, candles: Candles, count: int, version: str = REFERENCE_VERSION) -> LiveStore:
    """A store in a folder with the first `count` candles, each with the same prediction of a model's version."""
    store = LiveStore(FolderStorage(folder))
    append_candles(store, candles, range(count), version)
    return store


def append_candles(store: LiveStore, candles: Candles, positions: range, version: str = REFERENCE_VERSION) -> None:
    """Store the candles at some positions, as if they had just closed."""
    store.append(FEED._replace(interval=candles.interval), live_rows([_row(candles, at, version) for at in positions]))


def _row(candles: Candles, at: int, version: str) -> dict[str, Any]:
    open_time = int(candles.open_time[at])
    close_time = open_time + candles.interval_ms - 1
    row: dict[str, Any] = {
        "symbol": candles.symbol,
        "open_time": open_time,
        "close_time": close_time,
        **{name: float(column[at]) for name, column in zip(Columns._fields, candles.columns, strict=True)},
        "filled": bool(candles.filled[at]),
        "filled_candles": 0,
    }
    if at < _WINDOW - 1:
        return row
    predicted = dict(zip(OUTPUT_COLUMNS, PREDICTED_PCT, strict=True))
    return row | {"model_version": version, "predicted_at": close_time + 200, "in_sample": False} | predicted
