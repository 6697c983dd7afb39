"""A frame upside down is the frame of the reflected prices."""

import numpy as np

from coinfarm.labels import targets_pct
from coinfarm.synthetic import generate
from coinfarm.training.mirror import mirror
from image_render.draw import draw_frames
from image_render.windows import Columns, window_range_pct, windows
from tests.made_candles import START_MS

WINDOW, HORIZON = 200, 30


def reflected(columns: Columns, at: float) -> Columns:
    turned = [at - prices for prices in (columns.open, columns.low, columns.high, columns.close)]
    return Columns(*turned, columns.volume)


def test_a_mirrored_frame_is_that_of_the_reflected_prices_and_so_are_its_targets() -> None:
    candles = generate("DEMOUSD", "1m", START_MS, WINDOW + HORIZON, seed=3).columns
    window = Columns(*(column[:WINDOW] for column in candles))
    upside_down = reflected(candles, window.high.max() + window.low.min())

    def drawn(columns: Columns) -> tuple[np.ndarray, np.ndarray]:
        seen = windows(Columns(*(column[:WINDOW] for column in columns)))
        return draw_frames(seen), targets_pct(columns, np.array([WINDOW - 1]), HORIZON) / window_range_pct(seen)[:, None]

    frames, targets = drawn(candles)
    turned = mirror(frames, targets, np.array([True]))
    expected_frames, expected_targets = drawn(upside_down)
    # a price halfway between two rows may be rounded to the other one
    assert (frames != expected_frames).mean() < 0.001
    np.testing.assert_allclose(turned, expected_targets)


def test_only_the_chosen_are_turned() -> None:
    candles = generate("DEMOUSD", "1m", START_MS, WINDOW + 2, seed=3).columns
    frames = draw_frames(windows(candles))
    before, targets = frames.copy(), np.arange(9.0).reshape(3, 3)
    turned = mirror(frames, targets, np.array([False, True, False]))
    np.testing.assert_array_equal((frames == before).all(axis=(1, 2, 3)), [True, False, True])
    np.testing.assert_array_equal(frames[1, :, :, 2], before[1, :, :, 2])
    np.testing.assert_array_equal(turned, [[0, 1, 2], [-4, -3, -5], [6, 7, 8]])
