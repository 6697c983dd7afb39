"""The config of a training run: frozen, read from TOML."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

from coinfarm.candles.day import day_start_ms
from coinfarm.documents import translate_validation_errors
from coinfarm.errors import CoinfarmError
from coinfarm.outputs import MAX_HORIZON_CANDLES


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DateRange(_Frozen):
    """The days `[start, stop)`."""

    start: date
    stop: date

    @property
    def start_ms(self) -> int:
        return day_start_ms(self.start)

    @property
    def stop_ms(self) -> int:
        return day_start_ms(self.stop)

    @model_validator(mode="after")
    def _in_order(self) -> "DateRange":
        if self.start >= self.stop:
            raise ValueError(f"start, {self.start}, must be before stop, {self.stop}")
        return self


TargetUnit = Literal["window_range", "percent"]
_Horizon = Annotated[int, Field(ge=1, le=MAX_HORIZON_CANDLES)]
Size2D = tuple[PositiveInt, PositiveInt]
"""Along candles, along price rows."""


class BlockConfig(_Frozen):
    """Convolution, batch normalisation, ReLU; then max pooling over `pool`, and attention, if they are set.

    A `separable` block is a depthwise convolution with that kernel, followed by a 1×1 convolution with the filters.
    """

    filters: PositiveInt
    kernel: Size2D = (3, 3)
    strides: Size2D = (1, 1)
    dilation: PositiveInt = 1
    """The distance in candles between the weights of the kernel, as in temporal convolutional networks."""
    residual: bool = False
    """Whether the input of the block is added before the ReLU, as in ResNet. Filters and strides must leave its shape as it is."""
    pool: Size2D | None = None
    separable: bool = False
    attention_heads: PositiveInt | None = None
    """Self-attention over the candles with so many heads, which divide the filters; its input is added, and the sum normalised."""

    @model_validator(mode="after")
    def _is_consistent(self) -> "BlockConfig":
        if self.strides != (1, 1) and (self.dilation > 1 or self.residual):
            raise ValueError("a block with strides can have neither a dilation nor be residual")
        if self.attention_heads is not None and self.filters % self.attention_heads:
            raise ValueError(f"{self.filters} filters do not divide evenly among {self.attention_heads} attention_heads")
        return self


class NetworkConfig(_Frozen):
    """Convolution blocks, then two dense layers.

    With `view = "image"` the blocks get the frame as an image; with `"columns"` as a sequence of candles, each a vector of all its pixels,
    and only the first number of each size applies.
    """

    view: Literal["image", "columns"] = "image"
    blocks: Annotated[tuple[BlockConfig, ...], Field(min_length=1)]
    dense_units: PositiveInt = 192
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3

    @property
    def sees_single_candles_first(self) -> bool:
        """Whether the first layer sees every candle, and each alone."""
        return self.view == "columns" and self.blocks[0].kernel[0] == self.blocks[0].strides[0] == 1

    @model_validator(mode="after")
    def _blocks_fit(self) -> "NetworkConfig":
        if self.view == "columns" and any(block.separable for block in self.blocks):
            raise ValueError("a separable block needs the view of an image")
        if self.view == "image" and any(block.attention_heads for block in self.blocks):
            raise ValueError("attention_heads need the view of columns")
        widths = [None, *(block.filters for block in self.blocks)]
        for number, (block, width) in enumerate(zip(self.blocks, widths, strict=False)):
            if block.residual and block.filters != width:
                raise ValueError(f"blocks.{number}: a residual block needs the filters of the block before it")
        return self


REFERENCE_NETWORK = NetworkConfig(
    view="columns",
    blocks=(
        BlockConfig(filters=48, kernel=(1, 1)),
        BlockConfig(filters=64, strides=(2, 1)),
        BlockConfig(filters=64),
        BlockConfig(filters=96, strides=(2, 1)),
        BlockConfig(filters=96),
        BlockConfig(filters=128, strides=(2, 1)),
        BlockConfig(filters=128),
        BlockConfig(filters=192),
    ),
    dense_units=384,
)
"""The network of the reference model: 30 layers. The first one sees one candle at a time, so it can be looked up instead of multiplied."""


class TrainingConfig(_Frozen):
    """One training run; the paths of `candles` are relative to the config file."""

    name: str
    candles: Annotated[tuple[Path, ...], Field(min_length=1)]
    train: DateRange
    validation: DateRange
    test: DateRange
    horizon_candles: _Horizon | Annotated[tuple[_Horizon, ...], Field(min_length=1)] = 30
    """How many candles are predicted. A model of several horizons, such as `[10, 30, 100]`, predicts each; the first is its default."""
    network: NetworkConfig = REFERENCE_NETWORK
    target_unit: TargetUnit = "window_range"
    """The unit of the targets: shares of the window's price range, which the image shows, or percent, which it does not."""
    mirrored: bool = False
    """Whether a random half of the training frames is mirrored vertically, with their targets: a rise becomes a decline."""
    balance: Annotated[float, Field(ge=0, le=1)] = 0.5
    """The share of training frames that is drawn equally often from every coin, trend and volatility; the rest is drawn uniformly."""
    seed: int = 1
    batch_size: PositiveInt = 128
    steps_per_epoch: PositiveInt = 250
    epochs: PositiveInt = 18
    """The maximum; the learning rate falls to zero over them."""
    patience_epochs: PositiveInt = 6
    """Training stops early after this many epochs without improvement of the validation loss."""
    learning_rate: PositiveFloat = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    huber_delta: PositiveFloat = 2.0
    """In standard deviations of a target: errors beyond it count linearly, so that a crash does not dominate the training."""
    calibrate: bool = True
    """Whether the outputs of the trained network are scaled to the validation period; see `coinfarm.training.output_calibration`."""
    validation_stride: PositiveInt = 31
    test_stride: PositiveInt = 10

    @model_validator(mode="after")
    def _periods_follow_each_other(self) -> "TrainingConfig":
        if not self.train.stop <= self.validation.start < self.validation.stop <= self.test.start:
            raise ValueError("train, validation and test must follow each other in time, without overlap")
        return self

    @property
    def horizons(self) -> tuple[int, ...]:
        """The numbers of candles that are predicted."""
        return (self.horizon_candles,) if isinstance(self.horizon_candles, int) else self.horizon_candles

    @model_validator(mode="after")
    def _horizons_differ(self) -> "TrainingConfig":
        if len(set(self.horizons)) < len(self.horizons):
            raise ValueError("horizon_candles must have each number of candles once")
        return self

    @classmethod
    def read(cls, path: Path) -> "TrainingConfig":
        """Raises `CoinfarmError` that names the invalid field."""
        return cls.parse(read_toml(path), path, str(path))

    @classmethod
    def parse(cls, document: dict[str, object], path: Path, where: str) -> "TrainingConfig":
        """From the content of a TOML file at `path`. Raises `CoinfarmError` that names `where` and the invalid field."""
        with translate_validation_errors(where, CoinfarmError):
            config = cls.model_validate(document)
        return config.model_copy(update={"candles": tuple(path.parent / file for file in config.candles)})


def read_toml(path: Path) -> dict[str, object]:
    """Raises `CoinfarmError` for a missing or invalid file."""
    try:
        return tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CoinfarmError(f"{path}: {error}") from None
