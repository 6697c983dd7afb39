import hashlib
import io
from pathlib import Path

import pytest

from coinfarm.candle_store.archive import ArchiveName, check_checksum
from coinfarm.errors import CoinfarmError
from tests.support.synthetic_candles import MINUTE_MS, START_MS

DAY_MS = 1440 * MINUTE_MS


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        pytest.param("BTCUSDT-1m-2020-01.zip", ArchiveName("BTCUSDT", "1m", START_MS, START_MS + 31 * DAY_MS), id="month"),
        pytest.param("BTCUSDT-1m-2019-12.csv", ArchiveName("BTCUSDT", "1m", START_MS - 31 * DAY_MS, START_MS), id="December, unpacked"),
        pytest.param("1INCHUSDT-15m-2020-01-01.zip", ArchiveName("1INCHUSDT", "15m", START_MS, START_MS + DAY_MS), id="day"),
        pytest.param("BTCUSD_PERP-1h-2020-01.zip", ArchiveName("BTCUSD-PERP", "1h", START_MS, START_MS + 31 * DAY_MS), id="future"),
        pytest.param("BTCUSDT-1m-2020-13.zip", None, id="no month"),
        pytest.param("BTCUSDT-1m-2020-02-30.zip", None, id="no day"),
        pytest.param("BTCUSDT-1m.parquet", None, id="another file"),
    ],
)
def test_a_name_gives_the_series_and_the_period(name: str, parsed: ArchiveName | None) -> None:
    assert ArchiveName.parse(name) == parsed


def test_the_checksum_file_is_checked(tmp_path: Path) -> None:
    path, data = tmp_path / "a.zip", b"1"
    check_checksum(path, io.BytesIO(data))
    checksum = tmp_path / "a.zip.CHECKSUM"
    checksum.write_text(f"{hashlib.sha256(data).hexdigest()}  a.zip\n")
    check_checksum(path, io.BytesIO(data))
    checksum.write_text(f"{'0' * 64}  a.zip\n")
    with pytest.raises(CoinfarmError, match=r"a\.zip\.CHECKSUM"):
        check_checksum(path, io.BytesIO(data))
