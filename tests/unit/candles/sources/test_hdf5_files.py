"""HDF5 files of pandas and freqtrade: read without executing what is in them."""

import io
import os
import pickle
from typing import Any

import h5py
import numpy as np
import pytest

from coinfarm.candles.files import read_candles
from coinfarm.candles.sources.container import Limits
from coinfarm.candles.sources.hdf5_files import table_from_hdf5
from coinfarm.errors import CandleError, CoinfarmError, TooLarge
from coinfarm.extras import MissingPackage
from tests.support.hdf5_frames import fixed_frame, table_frame, two_frames
from tests.support.layout_page import is_truth
from tests.support.layout_rows import TRUTH


@pytest.mark.parametrize(
    "data", [fixed_frame(TRUTH), fixed_frame(TRUTH, zone=False), table_frame(TRUTH)], ids=["fixed", "fixed, no zone", "table"]
)
def test_a_frame_is_read(data: bytes) -> None:
    assert is_truth(read_candles(data, "BTCUSDT-1m.h5"))


def test_times_without_a_zone_may_have_one() -> None:
    found = read_candles(fixed_frame(TRUTH, zone=False), "BTCUSDT-1m.h5", timezone="+02:00").candles
    np.testing.assert_array_equal(found.open_time, TRUTH.open_time - 7_200_000)


def test_the_compression_of_freqtrade() -> None:
    blosc = pytest.importorskip("blosc")
    data = table_frame(TRUTH, compress=lambda rows: blosc.compress(rows, typesize=56))
    assert is_truth(read_candles(data, "BTC_USDT-1m.h5"))
    with pytest.raises(CandleError, match="larger than it should be"):
        read_candles(table_frame(TRUTH, compress=lambda rows: blosc.compress(rows * 2, typesize=56)), "BTC_USDT-1m.h5")
    with pytest.raises(CandleError):
        read_candles(table_frame(TRUTH, compress=lambda rows: rows[:100]), "BTC_USDT-1m.h5")


def test_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coinfarm.extras.find_spec", lambda name: None if name == "blosc" else name)
    with pytest.raises(MissingPackage, match=r"blosc.*coinfarm\[hdf5\]"):
        read_candles(table_frame(TRUTH, compress=lambda rows: rows), "BTC_USDT-1m.h5")


class Executed:
    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (3,)


def test_what_is_pickled_is_not_executed() -> None:
    with pytest.raises(CandleError):
        read_candles(table_frame(TRUTH, names=pickle.dumps(Executed(), 0)), "BTC_USDT-1m.h5")
    assert is_truth(read_candles(fixed_frame(TRUTH, errors=pickle.dumps(Executed(), 0)), "BTCUSDT-1m.h5"))


def test_several_frames_and_values_elsewhere_are_rejected() -> None:
    with pytest.raises(CandleError, match="BTC, ETH"):
        read_candles(two_frames(TRUTH), "BTCUSDT-1m.h5")
    sink = io.BytesIO()
    with h5py.File(sink, "w") as file:
        group = file.create_group("df")
        group.attrs.update({"pandas_type": np.bytes_(b"frame"), "nblocks": 0})
        group.create_dataset("axis1", (60,), "<i8", external=[("/etc/hostname", 0, 480)])
    with pytest.raises(CandleError, match="elsewhere"):
        read_candles(sink.getvalue(), "BTCUSDT-1m.h5")


def test_too_many_rows_are_not_unpacked() -> None:
    with pytest.raises(TooLarge):
        table_from_hdf5(table_frame(TRUTH), Limits(59))


@pytest.mark.parametrize("size", [600, 3000, -100])
def test_a_file_that_was_cut_off_is_rejected(size: int) -> None:
    with pytest.raises(CoinfarmError):
        read_candles(table_frame(TRUTH)[:size], "BTCUSDT-1m.h5")
