import re

import pytest

from coinfarm.candles import arrow_table
from coinfarm.candles.arrow_table import CANDLE_COLUMNS
from coinfarm.candles.csv_file import candles_from_csv
from coinfarm.errors import CandleError, TooLarge
from tests.support.synthetic_candles import MINUTE_MS, START_MS

HEADER = ",".join(CANDLE_COLUMNS)
FIRST = f"{START_MS},1,1,1,1,1"


def csv_of(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in (HEADER, *lines)).encode()


@pytest.mark.parametrize(
    ("data", "pointer", "named"),
    [
        pytest.param(b"", "", "", id="empty"),
        pytest.param(csv_of(), "", "", id="header only"),
        pytest.param(csv_of(f"{START_MS},1,1,1"), "", "6.* 4", id="short line"),
        pytest.param(csv_of(f"{START_MS},1,1,1,one,1"), "", "'one'", id="a word for a price"),
        pytest.param(csv_of(f"{START_MS}.5,1,1,1,1,1"), "", "int64", id="fraction of a millisecond"),
        pytest.param(csv_of("2020-01-01,1,1,1,1,1"), "", "int64", id="a date for a time"),
        pytest.param(csv_of(FIRST, f"{START_MS + MINUTE_MS},1,1,,1,1"), "/candles/1/low", "", id="empty cell"),
        pytest.param(csv_of(FIRST, ",1,1,1,1,1"), "/candles/1/open_time", "", id="no time"),
        pytest.param(f"{FIRST}\n".encode(), "", "no .*open_time.*open, high, low, close, volume", id="no header"),
        pytest.param(csv_of().replace(b"close", b"last"), "", "no .*close.*last", id="other column name"),
        pytest.param(csv_of().replace(b"close", b"high"), "", "2 .*high", id="column twice"),
        pytest.param(csv_of().replace(b"close", b"cl\xf6se"), "", "", id="Latin-1"),
        pytest.param(csv_of(f"{START_MS},1,1,2,1,1"), "/candles/0/low", "", id="invalid candle"),
    ],
)
def test_rejects_a_broken_file(data: bytes, pointer: str, named: str) -> None:
    with pytest.raises(CandleError) as raised:
        candles_from_csv(data, "BTCUSD", "1m")
    assert raised.value.errors[0].pointer == pointer
    assert re.search(named, raised.value.errors[0].detail)


def test_columns_may_be_in_any_order_next_to_others() -> None:
    names = [*reversed(CANDLE_COLUMNS), "trades"]
    cells = {"open_time": START_MS, "open": 2, "high": 4, "low": 1, "close": 3, "volume": 5, "trades": "many"}
    candles = candles_from_csv(f"{','.join(names)}\n{','.join(str(cells[name]) for name in names)}".encode(), "BTCUSD", "1m")
    assert (candles.symbol, candles.interval) == ("BTCUSD", "1m")
    assert [candles.open_time.tolist(), *(column.tolist() for column in candles.columns)] == [[START_MS], [2], [4], [1], [3], [5]]


def test_rejects_too_many_lines_before_they_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_table, "MAX_CANDLES", 3)
    lines = [f"{START_MS + number * MINUTE_MS},1,1,1,1,1" for number in range(2)]
    assert len(candles_from_csv(csv_of(*lines), "BTCUSD", "1m")) == 2
    with pytest.raises(TooLarge, match=r"4 .* 3"):
        candles_from_csv(csv_of(*lines, "nonsense"), "BTCUSD", "1m")
