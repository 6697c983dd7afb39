"""The manifest of a model bundle: what a version of a model is, and what is needed to serve it."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, AwareDatetime, Field, JsonValue, model_validator

from coinfarm.documents import Document, Sha256
from coinfarm.errors import CoinfarmError, ModelError
from coinfarm.models.compiled_form import CompiledForms, FileName
from coinfarm.models.output_correction import OutputCorrection
from coinfarm.models.training_data import TrainingData
from coinfarm.models.version import MANIFEST_FILE, Version, fingerprint_of
from coinfarm.outputs import OUTPUT_NAME_PATTERN, further_horizons_of, output_names
from image_render.digest import frame_digest
from image_render.spec import STANDARD, VERSION

MODEL_FILE = "model.keras"
MAX_MANIFEST_BYTES = 1_000_000
MAX_MODEL_BYTES = 500_000_000
"""Of each file of a bundle."""


AXES = ("candles", "rows", "channels")
Unit = Literal["percent", "window_range"]


def checked_layout(layout: tuple[str, ...]) -> tuple[str, ...]:
    """The layout itself; raises `ValueError` if it does not have every axis once."""
    if sorted(axis.removeprefix("-") for axis in layout) != sorted(AXES):
        raise ValueError(f"a layout has {', '.join(AXES)}, each once, in the order of the network's input")
    return layout


Layout = Annotated[tuple[str, ...], AfterValidator(checked_layout)]


class FrameGeometry(Document):
    """How the frames that the model was trained on were rendered."""

    version: int
    window_candles: int
    price_rows: int
    digest: Sha256

    @classmethod
    def current(cls) -> "FrameGeometry":
        """How this code renders them."""
        return cls(
            version=VERSION,
            window_candles=STANDARD.window_candles,
            price_rows=STANDARD.price_rows,
            digest=frame_digest(STANDARD),
        )


class Output(Document):
    """One number that the model outputs per frame.

    A `name` that ends in H and a number is of a further horizon of so many candles: `maxRisePctH100`; the others are of `horizonCandles`.
    `return_map` converts a fractional class index to a value by linear interpolation, clamped at its ends; with `probabilities` the
    network outputs the probability of each class instead, and the value is the mean of `return_map` weighted with them. The value times
    `factor`, after the `correction`, is in percent of the window's last close, or in `window_range` units: a fraction of the window's own
    (max high − min low) / last close.
    """

    name: Annotated[str, Field(pattern=OUTPUT_NAME_PATTERN)]
    unit: Unit = "percent"
    factor: float | None = None
    return_map: Annotated[tuple[float, ...], Field(min_length=2)] | None = None
    probabilities: bool | None = None
    correction: OutputCorrection | None = None

    @model_validator(mode="after")
    def _has_classes(self) -> "Output":
        if self.probabilities and self.return_map is None:
            raise ValueError("probabilities need the return_map of their classes")
        return self

    @property
    def needs_range(self) -> bool:
        """Whether the value depends on the window's price range."""
        return self.unit == "window_range" or self.correction is not None


class Member(Document):
    """One network of the model, and its outputs, in order.

    `layout` are the axes of its input, if they are not (candles, rows, channels): `-rows` starts with the highest price, `-candles` with
    the latest candle. `pixels` are its values of a clear and of a set pixel, if they are not 0 and 1.
    """

    file: Annotated[str, Field(pattern=r"\.keras$")]
    outputs: tuple[str, ...]
    layout: Layout | None = None
    pixels: tuple[float, float] | None = None


class FileDigest(Document):
    """The sha256 and the size of a file of the bundle."""

    sha256: Sha256
    bytes: Annotated[int, Field(ge=0, le=MAX_MODEL_BYTES)]


class LayerSummary(Document):
    """One layer of the network.

    `output_shape` is without the batch axis; `multiply_adds` are for one frame.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: Annotated[int, Field(ge=0)]
    multiply_adds: Annotated[int, Field(ge=0)]


class Manifest(Document):
    """One version of a model.

    `horizon_candles` is the first horizon; the names of the outputs say which others there are.
    `files` are all files of the bundle by relative path, except the manifest itself. The outputs of the `members`, concatenated, are
    `outputs`. `metrics` are by split, as in `coinfarm.models.split_scores`; `architecture` are the layers in forward order, member by
    member; `engines` are the compiled forms with their measured parity.
    """

    error: ClassVar[type[CoinfarmError]] = ModelError

    name: Annotated[str, Field(min_length=1, max_length=100)]
    version: Version
    created_at: AwareDatetime | None = None
    frame: FrameGeometry
    horizon_candles: Annotated[int, Field(ge=1)] = 30
    outputs: tuple[Output, ...]
    members: tuple[Member, ...]
    files: Annotated[dict[FileName, FileDigest], Field(max_length=64)]
    training: TrainingData | None = None
    metrics: dict[str, JsonValue] | None = None
    architecture: Annotated[tuple[LayerSummary, ...], Field(max_length=1000)] | None = None
    engines: CompiledForms = CompiledForms()

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names of the outputs, in the order of predictions; that of `outputs` is the network's."""
        return output_names(self.horizons[1:])

    @property
    def horizons(self) -> tuple[int, ...]:
        """The numbers of candles that are predicted, in the order of predictions."""
        return self.horizon_candles, *further_horizons_of(tuple(output.name for output in self.outputs))

    def check_geometry(self) -> None:
        """Raises `ModelError` if this code renders frames differently from those that the model was trained on."""
        current = FrameGeometry.current()
        if self.frame != current:
            raise ModelError(
                f"model {self.version} needs frames of {_described(self.frame)}, but this code renders {_described(current)}: "
                "serve it with the release that it was trained with, or train it again"
            )

    @model_validator(mode="after")
    def _is_consistent(self) -> "Manifest":
        names = [output.name for output in self.outputs]
        if sorted(names) != sorted(self.output_names):
            raise ValueError(f"outputs must be {', '.join(self.output_names)}, each once, in any order")
        if self.horizon_candles in self.horizons[1:]:
            raise ValueError(f"the outputs of {self.horizon_candles} candles, the first horizon, must have names without a number")
        if [name for member in self.members for name in member.outputs] != names:
            raise ValueError("the outputs of the members, concatenated, are not the outputs of the model")
        missing = [member.file for member in self.members if member.file not in self.files]
        if missing or MANIFEST_FILE in self.files:
            raise ValueError(f"files must include every member ({', '.join(missing)} missing), and not the manifest itself")
        if any(set(form.files) - self.files.keys() for form in self.engines.forms):
            raise ValueError("files must include the graph and the weights of every compiled form")
        if any(sorted(form.parity) != sorted(names) for form in self.engines.forms):
            raise ValueError("a compiled form must have the parity of each output")
        fingerprint = fingerprint_of([self.files[member.file].sha256 for member in self.members])
        if not self.version.endswith(f"-{fingerprint}"):
            raise ValueError(f"version {self.version} does not end in {fingerprint}, the fingerprint of the members")
        return self


def _described(frame: FrameGeometry) -> str:
    return f"{frame.window_candles} candles × {frame.price_rows} rows, spec {frame.version}, digest {frame.digest[:8]}"
