"""Candle files in the body of a request: the options beside them, and the reader of all other candle files, with tighter limits."""

import re
from dataclasses import replace
from pathlib import PurePath
from typing import Annotated, Any

from pydantic import Field

from coinfarm.candles.candles import Candles
from coinfarm.candles.files import MissingSeriesName, Reading, read_candles
from coinfarm.candles.interval import AnyInterval
from coinfarm.candles.symbol import AnySymbol, canonical_symbol
from coinfarm.errors import CandleError, ErrorDetail, InvalidInput
from coinfarm.prediction.series import Series
from coinfarm.serving.request import ApiRequest, Gaps, PredictionRequest, Stride, prepare_series

MAX_LISTED_CANDLES = 50_000
"""In JSON they are less than 6 MB, Lambda's limit for a response."""
JSON_MEMORY_FACTOR = 8
"""A JSON file may take this many times more memory than a Parquet or CSV file of the same size; a compressed file may be JSON."""
_MAX_FILE_CANDLES = 1_000_000
_UNNAMED = "candles"

TEXT_FILES = ("text/csv", "text/plain", "application/x-ndjson")
BINARY_FILES = (
    "application/octet-stream",
    "application/vnd.apache.parquet",
    "application/vnd.apache.arrow.file",
    "application/gzip",
    "application/zstd",
    "application/zip",
)
_COMMAND_WITH_GAPS = "`coinfarm predict --gaps skip`"
_COMMAND_OPTION = re.compile(r"(?:(?:the|its|their) )?--(symbol|interval|timezone)\b")
FILE_TYPES = (*TEXT_FILES, *BINARY_FILES)
"""The media types of candle files, besides JSON. The content gives the format, whatever the type."""


class FileOptions(ApiRequest):
    """What a request says about the candle file in its body."""

    file_name: Annotated[
        str | None,
        Field(description="The file's name, which often has symbol and interval: `BTCUSD-1m.csv`.", max_length=255),
    ] = None
    symbol: Annotated[AnySymbol | None, Field(description="The symbol, if neither the name nor the content of the file has it.")] = None
    interval: Annotated[AnyInterval | None, Field(description="The length of a candle, such as 1m; it must be that of the data.")] = None
    timezone: Annotated[
        str | None, Field(description="The time zone of times that have none, such as Europe/Athens; by default UTC.", max_length=64)
    ] = None

    def read(self, data: bytes, max_unpacked_bytes: int) -> Reading:
        """The candles of a file, and notes on what was dropped or looks wrong.

        Raises `InvalidInput` for other content and for a symbol that is unknown, and `TooLarge` if it unpacks to more, or has more than a
        million rows.
        """
        name = PurePath((self.file_name or _UNNAMED).replace("\\", "/")).name or _UNNAMED
        try:
            reading = read_candles(
                data,
                name,
                symbol=self.symbol,
                interval=self.interval,
                timezone=self.timezone,
                max_unpacked_bytes=max_unpacked_bytes,
                max_candles=_MAX_FILE_CANDLES,
            )
        except MissingSeriesName as error:
            raise InvalidInput(ErrorDetail("", f"{error}, or use the query parameter symbol")) from None
        except CandleError as error:
            raise CandleError(*(ErrorDetail(item.pointer, _for_requests(item.detail)) for item in error.errors)) from None
        canonical_symbol(reading.candles.symbol)  # a folder's name, in a zip, is taken as it is
        return replace(
            reading,
            other_notes=tuple(map(_for_requests, reading.other_notes)),
            general_notes=tuple(map(_for_requests, reading.general_notes)),
        )


class PredictionOptions(FileOptions):
    """What a request for predictions says beside the candle file in its body."""

    stride: Stride = 1
    gaps: Annotated[Gaps, Field(description=PredictionRequest.model_fields["gaps"].description)] = "fill"
    model_version: Annotated[str | None, Field(description=PredictionRequest.model_fields["model_version"].description, max_length=32)] = (
        None
    )

    def series(self, reading: Reading, max_frames: int) -> Series:
        """The candles of a file and their windows; raises as `prepare_series`."""
        return prepare_series(reading.candles, self.stride, self.gaps, max_frames)


class ListingOptions(FileOptions):
    """What a request for the candles of a file says beside it."""

    limit: Annotated[int, Field(ge=1, le=MAX_LISTED_CANDLES, description="The number of candles to return: the newest.")] = (
        MAX_LISTED_CANDLES
    )


def candles_document(reading: Reading, limit: int) -> dict[str, Any]:
    """The newest candles of a file as JSON: rows of openTime in milliseconds UTC, open, high, low, close, volume."""
    candles = reading.candles
    newest = candles[-limit:]
    notes = list(reading.notes)
    if len(newest) < len(candles):
        notes.append(f"only the newest {len(newest):,} of {len(candles):,} candles are listed")
    return {
        "symbol": candles.symbol,
        "interval": candles.interval,
        "source": reading.source,
        "candles": _number_rows(newest),
        "totalCandles": len(candles),
        "notes": notes,
    }


def _for_requests(text: str) -> str:
    """What the reader says to users of the command line, for clients of the API: options are query parameters."""
    return _COMMAND_OPTION.sub(r"the query parameter \1", text.replace(_COMMAND_WITH_GAPS, "the query parameter gaps=skip"))


def _number_rows(candles: Candles) -> list[list[int | float]]:
    return [list(row) for row in zip(candles.open_time.tolist(), *(column.tolist() for column in candles.columns), strict=True)]
