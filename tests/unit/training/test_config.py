from datetime import date
from pathlib import Path

import pytest

import coinfarm.training
from coinfarm.errors import CoinfarmError
from coinfarm.training.config import DateRange, NetworkConfig, TrainingConfig

GOOD = """
name = "mine"
candles = ["BTCUSD-1m.parquet", "/data/ETHUSD-1m.parquet"]
train = { start = 2018-01-01, stop = 2019-03-01 }
validation = { start = 2019-03-01, stop = 2019-05-01 }
test = { start = 2019-05-01, stop = 2019-07-01 }
"""


def read(folder: Path, text: str) -> TrainingConfig:
    (folder / "config.toml").write_text(text)
    return TrainingConfig.read(folder / "config.toml")


def test_files_of_candles_are_found_beside_the_config(tmp_path: Path) -> None:
    config = read(tmp_path, GOOD)
    assert config.candles == (tmp_path / "BTCUSD-1m.parquet", Path("/data/ETHUSD-1m.parquet"))
    assert config.train == DateRange(start=date(2018, 1, 1), stop=date(2019, 3, 1))
    assert (config.horizon_candles, config.network) == (30, NetworkConfig())


def test_a_period_is_from_midnight_to_midnight_utc() -> None:
    period = DateRange(start=date(2020, 1, 1), stop=date(2020, 1, 2))
    assert (period.start_ms, period.stop_ms) == (1_577_836_800_000, 1_577_836_800_000 + 86_400_000)


def test_the_config_of_the_reference_model_is_valid() -> None:
    config = TrainingConfig.read(Path(coinfarm.training.__path__[0]) / "reference.toml")
    assert config.name == "reference"
    assert config.train.stop <= config.validation.start < config.validation.stop <= config.test.start


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param(("name =", "title ="), "config.toml: name: Field required", id="missing field"),
        pytest.param(('"mine"', '"mine"\nlearning_rat = 1'), "learning_rat: Extra inputs are not permitted", id="misspelled field"),
        pytest.param(('"mine"', "7"), "name: Input should be a valid string", id="name as a number"),
        pytest.param(('["BTCUSD-1m.parquet", "/data/ETHUSD-1m.parquet"]', "[]"), "candles: .*at least 1 item", id="no candles"),
        pytest.param(("2018-01-01", '"soon"'), "train.start: Input should be a valid date", id="no date"),
        pytest.param(("stop = 2019-03-01", "stop = 2018-01-01"), "train: .*stops before it has begun, on 2018-01-01", id="empty period"),
        pytest.param(("start = 2019-03-01", "start = 2019-02-28"), "periods: .*must follow each other in time", id="overlapping periods"),
        pytest.param(("start = 2019-05-01", "start = 2019-04-30"), "periods: .*must follow each other in time", id="test overlaps"),
        *(
            pytest.param(('"mine"', f'"mine"\n{field} = {value}'), f"{field}: Input should be {limit}", id=f"{field} {value}")
            for field, value, limit in [
                ("horizon_candles", 0, "greater than 0"),
                ("batch_size", 0, "greater than 0"),
                ("steps_per_epoch", -1, "greater than 0"),
                ("epochs", 0, "greater than 0"),
                ("epochs", 1.5, "a valid integer"),
                ("learning_rate", 0, "greater than 0"),
                ("weight_decay", -0.1, "greater than or equal to 0"),
                ("huber_delta", 0, "greater than 0"),
                ("validation_stride", 0, "greater than 0"),
                ("test_stride", 0, "greater than 0"),
                ("seed", '"one"', "a valid integer"),
            ]
        ),
        pytest.param(("\ntest =", "\nnetwork = { dropout = 1.0 }\ntest ="), "network.dropout: .*less than 1", id="everything dropped"),
        pytest.param(("\ntest =", "\nnetwork = { dense_units = 0 }\ntest ="), "network.dense_units: .*greater than 0", id="no units"),
        pytest.param(
            ("\ntest =", "\nnetwork = { blocks = [{ filters = 8 }, { filters = 0 }] }\ntest ="),
            r"network\.blocks\.1\.filters: .*greater than 0",
            id="no filters",
        ),
        pytest.param(("\ntest =", "\nnetwork = { blocks = [] }\ntest ="), r"network\.blocks: .*at least 1 item", id="no blocks"),
        pytest.param(
            ("\ntest =", "\nnetwork = { blocks = [{ filters = 8, kernel = [3] }] }\ntest ="),
            r"network\.blocks\.0\.kernel\.1: Field required",
            id="half a kernel",
        ),
        pytest.param(
            ("\ntest =", '\nnetwork = { view = "columns", blocks = [{ filters = 8, separable = true }] }\ntest ='),
            "network: .*a separable block needs the view of an image",
            id="separable columns",
        ),
        pytest.param(('"mine"', '"mine"\ntarget_unit = "dollars"'), "target_unit: Input should be 'window_range' or 'percent'", id="unit"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, changed: tuple[str, str], message: str) -> None:
    assert changed[0] in GOOD
    with pytest.raises(CoinfarmError, match=message):
        read(tmp_path, GOOD.replace(*changed, 1))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"name = ", "Invalid value", id="no TOML"),
        pytest.param(b"name = '\xff'", "codec can't decode", id="no text"),
    ],
)
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "config.toml").write_bytes(content)
    with pytest.raises(CoinfarmError, match=rf"config\.toml: .*{message}"):
        TrainingConfig.read(tmp_path / "config.toml")


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(CoinfarmError, match=r"config\.toml: .*No such file"):
        TrainingConfig.read(tmp_path / "config.toml")
