import numpy as np
import pyarrow as pa
import pytest

from coinfarm.candles.candles import Candles
from coinfarm.live.live_rows import joined_rows
from coinfarm.scorecard.live_outcomes import LiveOutcomes, live_outcomes
from coinfarm.scorecard.model_record import ModelHorizon
from coinfarm.scorecard.scorecard_document import LiveCounts
from tests.support.live_predictions import HORIZON, VERSION, candles_of, outcome, predictions_of, rows_of

STEP_MS = 900_000
COUNT = 400
WINDOWS = COUNT - 199
SCORED = WINDOWS - HORIZON
COLUMNS = ("max_rise_pct", "max_decline_pct", "end_change_pct")


@pytest.fixture(scope="module")
def candles() -> Candles:
    return candles_of(days=5)[:COUNT]


@pytest.fixture(scope="module")
def rows(candles: Candles) -> pa.Table:
    return rows_of(candles, predictions_of(candles, 0.5), VERSION)


def outcomes(
    rows: pa.Table, first_ms: int = 0, late_ms: int = 0, version: str = VERSION, horizon: ModelHorizon | None = None
) -> LiveOutcomes:
    """What is known when the last candle has closed, or later."""
    now_ms = rows["close_time"].to_numpy().max() + 1 + late_ms
    return live_outcomes(rows, "15m", version, horizon or ModelHorizon(HORIZON, COLUMNS), first_ms, int(now_ms))


def changed(rows: pa.Table, name: str, at: int | slice, value: object) -> pa.Table:
    values = rows[name].to_pylist()
    values[at] = [value] * len(values[at]) if isinstance(at, slice) else value
    return rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), pa.array(values, rows.schema.field(name).type))


def test_outcomes_are_what_the_candles_after_the_window_did(candles: Candles, rows: pa.Table) -> None:
    found = outcomes(rows)
    expected = [outcome(candles, at) for at in range(199, 199 + SCORED)]
    np.testing.assert_allclose(found.observations.actual_pct, expected, rtol=1e-12)
    np.testing.assert_array_equal(found.predicted_pct, predictions_of(candles, 0.5)[:SCORED])
    np.testing.assert_array_equal(found.observations.close_time, candles.open_time[199 : 199 + SCORED] + STEP_MS - 1)
    assert found.counts == LiveCounts(predictions=WINDOWS, scored=SCORED, pending=HORIZON)


def test_a_horizon_that_has_passed_without_candles_is_not_pending(candles: Candles, rows: pa.Table) -> None:
    assert outcomes(rows).next_outcome_ms == candles.open_time[-1] + 2 * STEP_MS
    late = outcomes(rows, late_ms=10 * STEP_MS)
    assert (late.counts.pending, late.counts.missing_candles) == (HORIZON - 10, 10)
    assert late.next_outcome_ms == candles.open_time[-1] + 12 * STEP_MS


def test_a_missing_row_is_never_guessed(rows: pa.Table) -> None:
    without = pa.concat_tables([rows[:300], rows[301:]])
    found = outcomes(without)
    touched = [at for at in range(199, 199 + SCORED) if at - 199 <= 300 <= at + HORIZON and at != 300]
    assert found.counts.missing_candles == len(touched)
    assert found.counts.scored == SCORED - 1 - len(touched)


def test_corrected_candles_are_the_outcome(candles: Candles, rows: pa.Table) -> None:
    corrected = changed(changed(rows, "high", 250, 1e6), "corrected_at", 250, 7)
    found = outcomes(corrected)
    assert found.observations.actual_pct[250 - 199 - 1, 0] == pytest.approx(100 * (1e6 / candles.columns.close[249] - 1))
    assert found.counts.corrected_candles == 1


def test_in_sample_rows_are_counted_and_left_out(rows: pa.Table) -> None:
    known = outcomes(changed(rows, "in_sample", slice(199, 209), True))
    assert (known.counts.in_sample, known.counts.scored, len(known)) == (10, SCORED - 10, SCORED - 10)
    unknown = outcomes(changed(rows, "in_sample", slice(199, 209), None))
    assert (unknown.counts.in_sample_unknown, unknown.counts.scored) == (10, SCORED)


def test_rows_of_other_versions_and_days_are_not_counted(candles: Candles, rows: pa.Table) -> None:
    mixed = changed(rows, "model_version", slice(199, 219), "20260101-22222222")
    assert outcomes(mixed).counts.predictions == WINDOWS - 20
    assert outcomes(mixed, version="20260101-22222222").counts.scored == 20
    assert outcomes(rows, first_ms=int(candles.open_time[250])).counts.scored == SCORED - 51


def test_gaps_of_the_exchange_are_left_out_as_in_an_evaluation(rows: pa.Table) -> None:
    filled = changed(rows, "filled", slice(240, 240 + 31), True)
    found = outcomes(filled)
    assert found.counts.across_gaps > 0
    assert found.counts.scored == SCORED - found.counts.across_gaps
    assert outcomes(changed(rows, "filled", slice(240, 240 + 30), True)).counts.across_gaps == 0


def test_another_horizon_has_its_own_columns_and_outcomes(candles: Candles) -> None:
    values = np.hstack([np.zeros((WINDOWS, 3)), predictions_of(candles, 1.0, horizon_candles=10)])
    rows = rows_of(candles, values, VERSION, (10,))
    found = outcomes(rows, horizon=ModelHorizon(10, tuple(f"{name}_h10" for name in COLUMNS)))
    np.testing.assert_allclose(found.observations.actual_pct[0], outcome(candles, 199, 10), rtol=1e-12)
    np.testing.assert_array_equal(found.predicted_pct, values[:-10, 3:])


def test_coins_are_scored_one_after_the_other(rows: pa.Table) -> None:
    other = rows_of(candles_of("DEMO2", days=5, seed=2)[:COUNT], np.ones((WINDOWS, 3)), VERSION)
    found = outcomes(joined_rows([other, rows]))
    assert found.counts.scored == 2 * SCORED
    assert found.observations.symbols.tolist() == ["DEMO1"] * SCORED + ["DEMO2"] * SCORED
    assert [candles.symbol for candles in found.candles] == ["DEMO1", "DEMO2"]
