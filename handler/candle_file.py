"""Candle files that messages and events name."""

from coinfarm.candles.candles import Candles
from coinfarm.candles.files import read_candles
from coinfarm.serving.candle_upload import JSON_MEMORY_FACTOR
from coinfarm.serving.settings import Settings
from coinfarm.storage import Blob, Storage
from handler.telemetry import logger

_PLAIN_FILES = (".parquet", ".feather", ".csv")


def read_candle_file(storage: Storage, key: str, settings: Settings) -> Blob:
    """The bytes of a candle file. Raises `TooLarge`, and the errors of `storage`."""
    return storage.read(key, _max_bytes(key, settings))


def parse_candle_file(data: bytes, uri: str, settings: Settings, symbol: str | None = None, interval: str | None = None) -> Candles:
    """Its candles, with notes in the log. Raises as `read_candles`."""
    reading = read_candles(data, uri, symbol=symbol, interval=interval, max_unpacked_bytes=_max_bytes(uri, settings))
    for note in reading.notes:
        logger.warning("candles", extra={"uri": uri, "note": note})
    return reading.candles


def _max_bytes(name: str, settings: Settings) -> int:
    return settings.max_candle_file_bytes // (1 if name.endswith(_PLAIN_FILES) else JSON_MEMORY_FACTOR)
