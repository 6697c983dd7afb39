from datetime import date
from pathlib import Path

import pytest

from coinfarm.errors import CoinfarmError
from coinfarm.training.config import REFERENCE_NETWORK, DateRange, TrainingConfig

GOOD = """
name = "mine"
candles = ["BTCUSD-1m.parquet", "/data/ETHUSD-1m.parquet"]
train = { start = 2018-01-01, stop = 2019-03-01 }
validation = { start = 2019-03-01, stop = 2019-05-01 }
test = { start = 2019-05-01, stop = 2019-07-01 }
"""

SEPARABLE_COLUMNS = '{ view = "columns", blocks = [{ filters = 8, separable = true }] }'
CHANGED_WIDTH = '{ view = "columns", blocks = [{ filters = 8 }, { filters = 4, residual = true }] }'


def read(folder: Path, text: str) -> TrainingConfig:
    (folder / "config.toml").write_text(text)
    return TrainingConfig.read(folder / "config.toml")


def test_candle_paths_are_relative_to_the_config(tmp_path: Path) -> None:
    config = read(tmp_path, GOOD)
    assert config.candles == (tmp_path / "BTCUSD-1m.parquet", Path("/data/ETHUSD-1m.parquet"))
    assert config.train == DateRange(start=date(2018, 1, 1), stop=date(2019, 3, 1))
    assert (config.test.start_ms, config.test.stop_ms) == (1_556_668_800_000, 1_561_939_200_000)
    assert (config.horizon_candles, config.network) == (30, REFERENCE_NETWORK)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        pytest.param(("name =", "title ="), r"config\.toml .*: name: ", id="missing field"),
        pytest.param(('"mine"', '"mine"\nlearning_rat = 1'), "learning_rat: ", id="unknown field"),
        pytest.param(('["BTCUSD-1m.parquet", "/data/ETHUSD-1m.parquet"]', "[]"), "candles: ", id="no candles"),
        pytest.param(("2018-01-01", '"soon"'), "train.start: ", id="not a date"),
        pytest.param(("stop = 2019-03-01", "stop = 2018-01-01"), "train: ", id="empty period"),
        pytest.param(("start = 2019-03-01", "start = 2019-02-28"), "train, validation and test", id="overlapping periods"),
        *(
            pytest.param(("\ntest", f"\nhorizon_candles = {nonsense}\ntest"), "horizon_candles", id=f"horizons {nonsense}")
            for nonsense in ("0", "[]", "[10, 0]", "[10, 10]", "1_000_000")
        ),
        pytest.param(("\ntest", "\nnetwork.blocks = [{ filters = 0 }]\ntest"), r"network\.blocks\.0\.filters: ", id="no filters"),
        pytest.param(("\ntest", f"\nnetwork = {SEPARABLE_COLUMNS}\ntest"), "network: ", id="separable columns"),
        *(
            pytest.param(("\ntest", f"\nnetwork.blocks = [{{ filters = 8, {nonsense} }}]\ntest"), r"network(\.blocks\.0)?: ", id=nonsense)
            for nonsense in (
                "dilation = 2, strides = [2, 1]",
                "residual = true, strides = [1, 2]",
                "residual = true",
                "attention_heads = 3",
                "attention_heads = 2",
            )
        ),
        pytest.param(("\ntest", f"\nnetwork = {CHANGED_WIDTH}\ntest"), r"network: .*blocks\.1", id="residual of another width"),
    ],
)
def test_names_the_invalid_field(tmp_path: Path, changed: tuple[str, str], named: str) -> None:
    assert changed[0] in GOOD
    with pytest.raises(CoinfarmError, match=named):
        read(tmp_path, GOOD.replace(*changed, 1))


@pytest.mark.parametrize("content", [b"name = ", b"name = '\xff'", None], ids=["not TOML", "not text", "missing"])
def test_names_an_unreadable_file(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "config.toml").write_bytes(content)
    with pytest.raises(CoinfarmError, match=r"config\.toml: "):
        TrainingConfig.read(tmp_path / "config.toml")


@pytest.mark.parametrize(("given", "horizons"), [("12", (12,)), ("[10]", (10,)), ("[30, 10, 100]", (30, 10, 100))])
def test_one_horizon_or_several(tmp_path: Path, given: str, horizons: tuple[int, ...]) -> None:
    assert read(tmp_path, f"horizon_candles = {given}\n{GOOD}").horizons == horizons
