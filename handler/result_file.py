"""Files of results in the results root, each with the id of the message or upload that it answers."""

from pathlib import PurePosixPath

from coinfarm.errors import NotFound, TooLarge
from coinfarm.serving.response import source_message_id
from coinfarm.serving.settings import Settings
from coinfarm.storage import Storage

_MAX_BYTES_PER_WINDOW = 1000
"""An upper limit; JSON results need a third of it."""
_CONTENT_TYPES = {".json": "application/json", ".parquet": "application/vnd.apache.parquet"}


def has_result(storage: Storage, key: str, source_id: str, settings: Settings) -> bool:
    """Whether the file is the result of this message or upload: both may be delivered more than once."""
    try:
        written = storage.read(key, settings.max_record_frames * _MAX_BYTES_PER_WINDOW).data
    except (NotFound, TooLarge):  # too large to be one of our results
        return False
    return source_message_id(written, suffix(key)) == source_id


def write_result(storage: Storage, key: str, data: bytes) -> None:
    """Write a result."""
    storage.write(key, data, content_type=_CONTENT_TYPES[suffix(key)])


def suffix(key: str) -> str:
    """`.json` or `.parquet`."""
    return PurePosixPath(key).suffix
