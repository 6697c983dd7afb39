from dataclasses import replace

import numpy as np
import pytest

from coinfarm.candle_store.suspicious_candles import suspicious_candles
from coinfarm.candles.candles import Candles
from image_render.windows import Columns
from tests.support.synthetic_candles import minutes

DAY = minutes(1440)


def changed(**columns: dict[tuple[int, int], float]) -> Candles:
    """The day with values set in ranges of columns."""
    values = {name: getattr(DAY.columns, name).copy() for name in Columns._fields}
    for name, changes in columns.items():
        for (start, stop), value in changes.items():
            values[name][start:stop] = value
    return replace(DAY, columns=Columns(**values))


FLAT = {name: {(100, 200): 5.0} for name in ("open", "high", "low", "close")}


@pytest.mark.parametrize(
    ("candles", "named"),
    [
        pytest.param(changed(high={(60, 61): 1e7}), ["2020-01-01 01:00 bad tick"], id="bad tick"),
        pytest.param(changed(**FLAT, volume={(100, 200): 1.0, (150, 151): 2.0}), ["01:40", "01:40", "02:31"], id="stuck price"),
        pytest.param(changed(**FLAT, volume={(100, 200): 0.0}), [], id="no trades"),
        pytest.param(changed(volume={(0, 1440): 0.0}), ["2020-01-01 no volume"], id="no volume"),
        pytest.param(changed(volume={(10, 50): 7.0}), ["40 candles of 7"], id="the same volume"),
        pytest.param(changed(volume={(10, 11): 1e9}), ["1000000000"], id="a huge volume"),
        pytest.param(DAY, [], id="a usual day"),
        pytest.param(DAY[:0], [], id="no candles"),
    ],
)
def test_finds_what_looks_wrong(candles: Candles, named: list[str]) -> None:
    found = suspicious_candles(candles)
    assert len(found) == len(named), found
    assert all(word in line for word, line in zip(named, found, strict=True)), found


def test_one_finding_hides_no_other() -> None:
    candles = changed(high={(60, 61): 1e7, (600, 601): 1e7})
    assert len(suspicious_candles(candles)) == 2
    assert np.isfinite(candles.columns.high).all()
