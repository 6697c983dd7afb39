"""Large arrays of numbers in JSON are read as CSV: the same columns as those of parsed rows."""

import json

import numpy as np
import pytest

from coinfarm.candles.sources.json_arrays import table_from_arrays
from coinfarm.candles.sources.json_table import table_from_rows
from coinfarm.candles.sources.raw_table import numbers

ROWS = [[1_704_153_600_000 + at * 60_000, *(f"{at + 0.1 * field:.2f}" for field in range(4)), at / 8] for at in range(500)]
LINES = [json.dumps(row) for row in ROWS]
MAX_ROWS = 1000


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(json.dumps(ROWS), id="array"),
        pytest.param(json.dumps(ROWS, indent=2), id="array, indented"),
        pytest.param("\n".join(LINES), id="lines"),
        pytest.param("\n".join(LINES) + "\n", id="lines, the last complete"),
        pytest.param("\n" + " \r\n\r\n".join(LINES) + "\r\n", id="lines, some blank"),
    ],
)
def test_columns_are_those_of_the_rows(text: str) -> None:
    table, expected = table_from_arrays(text.encode(), MAX_ROWS), table_from_rows(ROWS, MAX_ROWS)
    assert table is not None
    assert len(table.columns) == len(expected.columns)
    for column, wanted in zip(table.columns, expected.columns, strict=True):
        np.testing.assert_array_equal(numbers(column, table, "field"), numbers(wanted, expected, "field"))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\n".join(LINES)[:-5], id="cut off"),
        pytest.param("\n".join([*LINES, "[1, 2]"]), id="a shorter line"),
        pytest.param("\n".join([*LINES, '{"a": 1}']), id="a line of another kind"),
        pytest.param("\n".join([LINES[0], LINES[1] + LINES[2]]), id="two rows in a line"),
        pytest.param("\n".join([LINES[0], LINES[1].replace("1.10", "x")]), id="text that is no number"),
        pytest.param("\n".join(LINES * 3), id="too many"),
    ],
)
def test_other_text_is_left_to_the_parser(text: str) -> None:
    assert table_from_arrays(text.encode(), MAX_ROWS) is None
