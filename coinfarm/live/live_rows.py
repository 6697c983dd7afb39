"""The rows of the live store: a closed candle and its prediction in each."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from coinfarm.outputs import OUTPUT_COLUMNS, further_horizons_of, output_columns
from image_render.windows import Columns

if TYPE_CHECKING:
    import pyarrow as pa

KEY_COLUMNS = ("symbol", "open_time")
"""A store has one row for each."""
CANDLE_COLUMNS = Columns._fields
_OPTIONAL_COLUMNS = ("corrected_at", "model_version", "predicted_at", "in_sample")


def live_schema(further_horizons: Sequence[int] = ()) -> "pa.Schema":
    """The columns of a live store, for a model with these horizons after its first.

    Times are int64 milliseconds UTC; `open_time` and `close_time` are those of the candle, which is the last one of the predicted window.

    - `filled`: the exchange had no candle; it was filled as for every prediction. `filled_candles` counts them in the window.
    - `corrected_at`: when the exchange changed the candle after its prediction; null if it did not. The candle is the corrected one.
    - `model_version` and `predicted_at`: null without a prediction. After a gap, `predicted_at` is far later than `close_time`.
    - `in_sample`: null if the training data of the model is unknown, or without a prediction.
    - `max_rise_pct` and so on: NaN without a prediction.
    """
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("symbol", pa.string(), nullable=False),
            pa.field("open_time", pa.int64(), nullable=False),
            pa.field("close_time", pa.int64(), nullable=False),
            *(pa.field(name, pa.float64(), nullable=False) for name in CANDLE_COLUMNS),
            pa.field("filled", pa.bool_(), nullable=False),
            ("corrected_at", pa.int64()),
            ("model_version", pa.string()),
            ("predicted_at", pa.int64()),
            ("in_sample", pa.bool_()),
            pa.field("filled_candles", pa.int64(), nullable=False),
            *(pa.field(name, pa.float64(), nullable=False) for name in output_columns(further_horizons)),
        ]
    )


def live_rows(rows: Sequence[dict[str, Any]], further_horizons: Sequence[int] = ()) -> "pa.Table":
    """Rows given as dictionaries by column; what `live_schema` calls null may be missing, and so may the prediction."""
    import pyarrow as pa

    schema = live_schema(further_horizons)
    none = dict.fromkeys(_OPTIONAL_COLUMNS) | dict.fromkeys(output_columns(further_horizons), float("nan"))
    return pa.Table.from_pylist([none | row for row in rows], schema)


def joined_rows(tables: Sequence["pa.Table"]) -> "pa.Table":
    """The rows of all tables, with the horizons of all; NaN where a row's model did not have one."""
    import pyarrow as pa

    further = sorted({horizon for table in tables for horizon in further_horizons_of(tuple(table.column_names))})
    schema = live_schema(further)
    return pa.concat_tables([_with_columns(table, schema) for table in tables]) if tables else schema.empty_table()


def _with_columns(table: "pa.Table", schema: "pa.Schema") -> "pa.Table":
    import pyarrow as pa

    missing = pa.repeat(pa.scalar(float("nan")), len(table))
    columns = [table[name] if name in table.column_names else missing for name in schema.names]
    return pa.table(columns, schema=schema)


def has_prediction(row: dict[str, Any]) -> bool:
    """Whether a row, as a dictionary, has a prediction."""
    return not math.isnan(row[OUTPUT_COLUMNS[0]])
