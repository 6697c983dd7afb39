"""What a training run is made from: a frozen config, read from TOML."""

import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError, model_validator

from coinfarm.errors import CoinfarmError


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Period(_Frozen):
    """A stretch of days, `start` in it, `stop` not."""

    start: date
    stop: date

    @property
    def start_ms(self) -> int:
        return _midnight_ms(self.start)

    @property
    def stop_ms(self) -> int:
        return _midnight_ms(self.stop)

    @model_validator(mode="after")
    def _in_order(self) -> "Period":
        if self.start >= self.stop:
            raise ValueError(f"the period starts on {self.start} and stops before it has begun, on {self.stop}")
        return self


class NetworkConfig(_Frozen):
    """Eight blocks of convolution, batch normalisation and ReLU, then two dense layers.

    `filters` and `strides` (candles, price rows) are per block; the first kernel is 5×5, the others 3×3.
    """

    filters: tuple[PositiveInt, ...] = (16, 32, 32, 64, 64, 128, 128, 256)
    strides: tuple[tuple[PositiveInt, PositiveInt], ...] = ((2, 3), (2, 2), (1, 1), (2, 2), (1, 1), (2, 2), (1, 1), (2, 2))
    dense_units: PositiveInt = 192
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3

    @model_validator(mode="after")
    def _one_stride_per_block(self) -> "NetworkConfig":
        if len(self.filters) != len(self.strides):
            raise ValueError(f"{len(self.filters)} filters but {len(self.strides)} strides: give one of each per block")
        return self


class TrainingConfig(_Frozen):
    """One training run; the paths of `candles` are relative to the config file."""

    name: str
    candles: Annotated[tuple[Path, ...], Field(min_length=1)]
    train: Period
    validation: Period
    test: Period
    horizon_candles: PositiveInt = 30
    network: NetworkConfig = NetworkConfig()
    seed: int = 1
    batch_size: PositiveInt = 128
    steps_per_epoch: PositiveInt = 250
    epochs: PositiveInt = 18
    learning_rate: PositiveFloat = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    huber_delta: PositiveFloat = 2.0
    """In standard deviations of a target: errors beyond it count linearly, so that a crash does not rule the training."""
    validation_stride: PositiveInt = 31
    test_stride: PositiveInt = 10

    @model_validator(mode="after")
    def _periods_follow_each_other(self) -> "TrainingConfig":
        if not self.train.stop <= self.validation.start < self.validation.stop <= self.test.start:
            raise ValueError("train, validation and test must follow each other in time, without overlap")
        return self

    @classmethod
    def read(cls, path: Path) -> "TrainingConfig":
        """Raises `CoinfarmError` that names the field at fault."""
        try:
            config = cls.model_validate(tomllib.loads(path.read_text()))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise CoinfarmError(f"{path}: {error}") from None
        except ValidationError as error:
            first = error.errors()[0]
            raise CoinfarmError(f"{path}: {'.'.join(map(str, first['loc'])) or 'periods'}: {first['msg']}") from None
        return config.model_copy(update={"candles": tuple(path.parent / file for file in config.candles)})


def _midnight_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
