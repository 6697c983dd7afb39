"""A training run of seconds: two synthetic coins, a tiny network, a few steps."""

from pathlib import Path

from coinfarm.candles.parquet_file import parquet_from_candles
from coinfarm.candles.synthetic import generate
from coinfarm.training.config import TrainingConfig
from tests.support.synthetic_candles import START_MS

_YEARS = {"train": 20, "validation": 21, "test": 22}

CONFIG = """
name = "tiny"
candles = ["DEMO1-1h.parquet", "DEMO2-30m.parquet"]
train = { start = 2020-01-01, stop = 2020-01-21 }
validation = { start = 2020-01-21, stop = 2020-02-02 }
test = { start = 2020-02-02, stop = 2020-02-14 }
batch_size = 8
steps_per_epoch = 3
epochs = 2
network = { dense_units = 4, blocks = [{ filters = 4, strides = [4, 5] }, { filters = 4, strides = [5, 5] }] }
"""


def training_config(candles: Path, **fields: object) -> TrainingConfig:
    """A config with one candle file, for each January of three years."""
    periods = {name: {"start": f"20{year}-01-01", "stop": f"20{year}-02-01"} for name, year in _YEARS.items()}
    return TrainingConfig.model_validate({"name": "tiny", "candles": [candles], "batch_size": 16, **periods, **fields})


def write_tiny_training(folder: Path, epochs: int = 2) -> TrainingConfig:
    """Write the candle files and `tiny.toml`."""
    for symbol, interval, per_day in (("DEMO1", "1h", 24), ("DEMO2", "30m", 48)):
        candles = generate(symbol, interval, START_MS, 44 * per_day, seed=1)
        (folder / f"{symbol}-{interval}.parquet").write_bytes(parquet_from_candles(candles))
    (folder / "tiny.toml").write_text(CONFIG.replace("epochs = 2", f"epochs = {epochs}"))
    return TrainingConfig.read(folder / "tiny.toml")
