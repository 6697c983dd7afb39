"""The frames for calibration and for the parity test."""

import numpy as np
import pytest

from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.compilation.sample import Sample
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
    complete = Sample.from_candles([minutes(310_000)], ("DEMOUSD",))
    with_gap = Sample.from_candles([minutes(310_000, missing=range(200, 400))], ("DEMOUSD",))
    assert len(with_gap.calibration) + len(with_gap.parity) == len(complete.calibration) + len(complete.parity) - 1


def test_too_few_candles_are_an_error_with_the_required_number() -> None:
    with pytest.raises(CoinfarmError, match=r"500 .* 300,000"):
        Sample.from_candles([minutes(100_000)], ("DEMOUSD",))


def test_names_the_files(tmp_path) -> None:
    path = tmp_path / "DEMOUSD-1m.parquet"
    path.write_bytes(parquet_from_candles(minutes(300_000)))
    assert Sample.from_files([path]).candles == ("DEMOUSD-1m.parquet",)


def test_synthetic_candles_have_demo_symbols() -> None:
    sample = Sample.from_synthetic()
    assert sample.candles == ("DEMOA", "DEMOB", "DEMOC")
    assert (len(sample.calibration), len(sample.parity)) == (1000, 2000)
