"""What a live store must contain, given the candles of the exchange."""

import numpy as np

from coinfarm.candles.gaps import fill_gaps
from coinfarm.live.live_rows import CANDLE_COLUMNS
from coinfarm.outputs import OUTPUT_COLUMNS
from coinfarm.prediction.series import Series

WINDOW = 200


def assert_equals_backfill(rows, candles, predictor):
    """The rows of one symbol equal a prediction of the same candles as one series, to the bit; each candle occurs once, in order."""
    candles = fill_gaps(candles.between(rows["open_time"][0].as_py(), None)).between(None, rows["open_time"][-1].as_py() + 1)
    np.testing.assert_array_equal(rows["open_time"].to_numpy(), candles.open_time)
    for name, column in zip(CANDLE_COLUMNS, candles.columns, strict=True):
        np.testing.assert_array_equal(rows[name].to_numpy(), column, err_msg=name)
    np.testing.assert_array_equal(rows["filled"].to_numpy(), candles.filled)
    expected = predictor.predict(Series(candles))
    found = np.column_stack([rows[name].to_numpy() for name in OUTPUT_COLUMNS])
    assert np.isnan(found[: WINDOW - 1]).all()
    np.testing.assert_array_equal(found[WINDOW - 1 :], expected.values_pct)
    np.testing.assert_array_equal(rows["filled_candles"].to_numpy()[WINDOW - 1 :], expected.filled_candles)
