import numpy as np
import pytest

from coinfarm.compilation.sample import CoinSample, Sample
from coinfarm.errors import CoinfarmError
from image_render.render import render_frames
from image_render.windows import windows
from tests.support.synthetic_candles import minutes


def test_every_third_window_is_for_calibration() -> None:
    candles = minutes(300_000 + 199)
    sample = Sample.from_candles([candles], ("DEMOUSD",))
    assert (len(sample.calibration), len(sample.parity)) == (500, 1000)
    every = windows(candles.columns, stride=200)
    np.testing.assert_array_equal(sample.calibration[1], render_frames(type(every)(*(column[3:4] for column in every)))[0])
    np.testing.assert_array_equal(sample.parity[1], render_frames(type(every)(*(column[2:3] for column in every)))[0])


def test_omits_mostly_filled_windows() -> None:
    with_gap = Sample.from_candles([minutes(310_000, missing=range(200, 400))], ("DEMOUSD",))
    assert len(with_gap.calibration) + len(with_gap.parity) == 310_000 // 200 - 1


def test_too_few_candles_are_an_error_with_the_required_number() -> None:
    with pytest.raises(CoinfarmError, match=r"500 .* 300,000"):
        Sample.from_candles([minutes(100_000)], ("DEMOUSD",))


def test_synthetic_candles_have_demo_symbols() -> None:
    coins = CoinSample.synthetic()
    sample = Sample.from_candles(coins.coins, coins.names)
    assert sample.candles == ("DEMOA", "DEMOB", "DEMOC")
    assert (len(sample.calibration), len(sample.parity)) == (1000, 2000)
