"""The examples of the OpenAPI document, with which Swagger UI's "Try it out" works as it stands: candles of `examples/request.json`."""

import json
from pathlib import Path
from typing import Any

from coinfarm.candles.json_rows import FIELDS
from image_render.spec import STANDARD

Json = dict[str, Any]

_FILE = Path(__file__).parents[1] / "examples/request.json"
_LISTED_CANDLES = 5


def example_components() -> dict[str, Json]:
    """The examples by name, for `components`. The CSV file has its symbol in a column, so that no parameter is needed."""
    request = json.loads(_FILE.read_text())
    rows = request["candles"][-STANDARD.window_candles :]
    lines = [("symbol", *FIELDS), *((request["symbol"], *row) for row in rows[-_LISTED_CANDLES:])]
    return {
        "window": {"summary": "One window of 200 candles", "value": {**request, "candles": rows}},
        "csv": {"summary": "A CSV file", "value": "".join(",".join(map(str, line)) + "\n" for line in lines)},
        "klines": {"summary": "Klines", "value": {**request, "candles": rows[-_LISTED_CANDLES:]}},
    }


def example(name: str) -> Json:
    """A reference to one of them, for the content of a request."""
    return {"examples": {name: {"$ref": f"#/components/examples/{name}"}}}
