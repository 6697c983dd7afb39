"""Predictions as a table and as CSV."""

import dataclasses
import math

import numpy as np
import pytest

from coinfarm.cli.prediction_table import csv_lines, prediction_table
from coinfarm.prediction.predictions import Predictions
from tests.support.table_text import assert_fits

MODEL = {"name": "demo", "version": "20260101-00000000", "engine": "fake"}
PREDICTED = {"maxRisePct": 1.25, "maxDeclinePct": -0.5, "endChangePct": 0.0}


def result(minute=0, **fields):
    close_time = 1_767_225_600_000 + minute * 60_000 - 1
    window = {"openTime": close_time - 11_999_999, "closeTime": close_time, "inSample": False, "filledCandles": 0}
    return {**window, "predictions": PREDICTED, **fields}


def predicted(minute=0, *, filled=0, values=(1.25, -0.5, 0.0), **fields):
    """One window."""
    close_time = np.array([result(minute)["closeTime"]])
    found = Predictions(close_time - 11_999_999, close_time, np.array([filled]), np.array([False]), np.array([values]))
    return dataclasses.replace(found, **fields)


def test_table_has_the_last_rows_and_the_number_of_others():
    shown = assert_fits(
        prediction_table({"model": MODEL, "results": [result(minute) for minute in range(1272, 1302)]}, 1301, "--csv gives all")
    )
    assert "demo 20260101-00000000 on fake" in shown
    assert [shown.count(number) for number in ("2026-01-01 21:40", "2026-01-01 2", "+1.250", "-0.500")] == [1, 20, 20, 20]
    assert "1,281" in shown
    assert "--csv gives all" in shown


def test_one_row_that_is_not_shown_is_in_the_singular():
    shown = assert_fits(prediction_table({"model": MODEL, "results": [result(minute) for minute in range(20)]}, 21))
    assert "1 earlier row is not shown." in shown


def test_table_explains_a_missing_prediction():
    results = [result(filledCandles=200, inSample=None, predictions=predicted) for predicted in (None, PREDICTED)]
    missing, present = (assert_fits(prediction_table({"model": MODEL, "results": [each]}, 3_153_600)) for each in results)
    assert missing.count("\n") > present.count("\n")


@pytest.mark.parametrize(
    ("in_sample", "in_table", "in_csv"), [(True, "yes", "true"), (False, "no", "false"), (None, "unknown", "")], ids=str
)
def test_in_sample_is_yes_no_or_unknown(in_sample, in_table, in_csv):
    response = {"model": MODEL, "results": [result(inSample=in_sample)]}
    assert in_table in assert_fits(prediction_table(response, 1)).splitlines()[-1].split()
    (_, row) = csv_lines([predicted(in_sample=None if in_sample is None else np.array([in_sample]))])
    assert row.split(",")[2] == in_csv


def test_csv_has_a_header_and_empty_cells_for_missing_predictions():
    parts = [predicted(200), predicted(201, filled=101, values=(math.nan,) * 3)]
    assert "".join(csv_lines(parts)) == (
        "open_time,close_time,in_sample,filled_candles,max_rise_pct,max_decline_pct,end_change_pct\n"
        "1767225600000,1767237599999,false,0,1.25,-0.5,0.0\n"
        "1767225660000,1767237659999,false,101,,,\n"
    )
