import numpy as np

from coinfarm.candles.synthetic import generate
from coinfarm.targets import targets_pct
from coinfarm.training.augmentation import flip_frames
from image_render.rows import pack_rows
from image_render.windows import Columns, window_range_pct, windows
from tests.support.synthetic_candles import START_MS

WINDOW, HORIZON = 200, 30


def reflected(columns: Columns, at: float) -> Columns:
    flipped = [at - prices for prices in (columns.open, columns.low, columns.high, columns.close)]
    return Columns(*flipped, columns.volume)


def test_flipped_frames_and_targets_are_those_of_the_reflected_prices() -> None:
    candles = generate("DEMOUSD", "1m", START_MS, WINDOW + HORIZON, seed=3).columns
    window = Columns(*(column[:WINDOW] for column in candles))
    upside_down = reflected(candles, window.high.max() + window.low.min())

    def rows(columns: Columns) -> tuple[np.ndarray, np.ndarray]:
        seen = windows(Columns(*(column[:WINDOW] for column in columns)))
        return pack_rows(seen), targets_pct(columns, np.array([WINDOW - 1]), HORIZON) / window_range_pct(seen)[:, None]

    found, targets = rows(candles)
    flipped = flip_frames(found, targets, np.array([True]))
    expected, expected_targets = rows(upside_down)
    # a price halfway between two rows may be rounded to either
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert (found != expected).mean() < 0.01
    np.testing.assert_allclose(flipped, expected_targets)


def test_flips_only_the_chosen_frames() -> None:
    rows = pack_rows(windows(generate("DEMOUSD", "1m", START_MS, WINDOW + 2, seed=3).columns))
    before, targets = rows.copy(), np.arange(9.0).reshape(3, 3)
    flipped = flip_frames(rows, targets, np.array([False, True, False]))
    np.testing.assert_array_equal((rows == before).all(axis=(1, 2)), [True, False, True])
    np.testing.assert_array_equal(rows[1, :, 4], before[1, :, 4])
    np.testing.assert_array_equal(flipped, [[0, 1, 2], [-4, -3, -5], [6, 7, 8]])
