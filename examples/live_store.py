"""Make a live store from the candles of this folder: `python examples/live_store.py STORE`.

It has what `coinfarm watch` would have stored: each candle with the prediction that was made when it had closed.
"""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from coinfarm.candles.files import parse_candles
from coinfarm.live.live_prediction import predicted_rows
from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.serving.service import Service
from coinfarm.serving.settings import Settings
from coinfarm.storage import open_storage

CANDLE_FILE = Path(__file__).parent / "DEMOUSD-1m.parquet"
FEED = LiveFeed("binance", "1m")
_LATENCY_MS = 200


def live_rows_of(file: Path) -> pa.Table:
    """The candles of a file as rows of a live store, predicted by the reference model."""
    candles = parse_candles(file.read_bytes(), file.name)
    rows = predicted_rows(Service(Settings()).predictor(), [(candles[:0], candles)], lambda: 0)
    made_at = pc.add(rows["close_time"], pc.add(rows["predicted_at"], _LATENCY_MS))  # null without a prediction
    return rows.set_column(rows.schema.get_field_index("predicted_at"), rows.schema.field("predicted_at"), made_at)


if __name__ == "__main__":
    LiveStore(open_storage(sys.argv[1])).append(FEED, live_rows_of(CANDLE_FILE))
