"""Which frames calibrate a form, and which judge it."""

import numpy as np
import pytest

from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.compilation.sample import Sample
from coinfarm.errors import CoinfarmError
from image_render.draw import draw_frames
from image_render.windows import windows
from tests.support.synthetic_candles import minutes


def test_every_third_window_calibrates_and_the_others_judge() -> None:
    candles = minutes(300_000 + 199)
    sample = Sample.from_candles([candles], ("DEMOUSD",))
    assert (len(sample.calibration), len(sample.parity)) == (500, 1000)
    every = windows(candles.columns, stride=200)
    np.testing.assert_array_equal(sample.calibration[1], draw_frames(type(every)(*(column[3:4] for column in every)))[0])
    np.testing.assert_array_equal(sample.parity[1], draw_frames(type(every)(*(column[2:3] for column in every)))[0])


def test_windows_that_were_mostly_missing_are_left_out() -> None:
    whole = Sample.from_candles([minutes(310_000)], ("DEMOUSD",))
    holed = Sample.from_candles([minutes(310_000, missing=range(200, 400))], ("DEMOUSD",))
    assert len(holed.calibration) + len(holed.parity) == len(whole.calibration) + len(whole.parity) - 1


def test_too_few_candles_are_refused_with_the_number_that_does() -> None:
    with pytest.raises(CoinfarmError, match=r"make 500 separate windows, too few .* files of 300,000 candles or more"):
        Sample.from_candles([minutes(100_000)], ("DEMOUSD",))


def test_a_coin_without_a_window_is_named() -> None:
    with pytest.raises(CoinfarmError, match="DEMOUSD: 150 candles make no window of 200"):
        Sample.from_candles([minutes(150)], ("DEMOUSD",))


def test_files_are_named_in_what_is_told_of_the_sample(tmp_path) -> None:
    path = tmp_path / "DEMOUSD-1m.parquet"
    path.write_bytes(parquet_from_candles(minutes(300_000)))
    assert Sample.from_files([path]).candles == ("DEMOUSD-1m.parquet",)


def test_made_up_candles_can_be_told_by_their_names() -> None:
    sample = Sample.from_synthetic()
    assert sample.candles == ("DEMOA", "DEMOB", "DEMOC")
    assert (len(sample.calibration), len(sample.parity)) == (1000, 2000)
