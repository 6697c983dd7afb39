"""The compiled forms of a model, how close they are to Keras, and how fast they are."""

from typing import Annotated, Literal

from pydantic import Field

from coinfarm.documents import Document

MIN_CORRELATION = 0.999
MAX_RMS_DIFFERENCE_SHARE = 0.04

# no part starts with a dot, so that none is `..`
_FILE = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$"
FileName = Annotated[str, Field(pattern=_FILE, max_length=200)]


class Parity(Document):
    """How close an output of a compiled form is to that of float32 Keras, on real frames that it was not calibrated on.

    `rms_difference_share` is the root-mean-square difference, as a share of the output's own standard deviation. Of a constant output it is
    a share of the mean standard deviation of the others, and its correlation counts as 1.
    """

    correlation: Annotated[float, Field(ge=-1, le=1)]
    rms_difference_share: Annotated[float, Field(ge=0)]

    @property
    def is_close(self) -> bool:
        """Whether the form may be used instead of Keras."""
        return self.correlation >= MIN_CORRELATION and self.rms_difference_share <= MAX_RMS_DIFFERENCE_SHARE


class CompiledForm(Document):
    """The model compiled by OpenVINO: `file` is the graph; its weights are in a file next to it, which ends in `.bin`.

    `precision` is that of the layers which are not quantised. The processor must have one flag of each group in `needs`, spelled as in
    Linux. With `tables` the form takes the row numbers of frames: the tables contain the first layer, the graph the others.
    """

    name: Literal["f32", "bf16", "int8", "int8-bf16"]
    file: Annotated[FileName, Field(pattern=r"^compiled/.+\.xml$")]
    precision: Literal["f32", "bf16"]
    needs: tuple[tuple[str, ...], ...] = ()
    tables: Annotated[FileName, Field(pattern=r"^compiled/.+\.npz$")] | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """The graph, its weights, where OpenVINO expects them, and the tables, if any."""
        return self.file, self.file.removesuffix(".xml") + ".bin", *([self.tables] if self.tables else [])

    def runs_on(self, flags: frozenset[str]) -> bool:
        """Whether a processor with these flags supports this form."""
        return all(flags.intersection(group) for group in self.needs)


class MeasuredForm(CompiledForm):
    """A compiled form that passed its checks; `parity` is by output."""

    parity: dict[str, Parity]
    frames_per_s: Annotated[float, Field(gt=0)]


class MeasurementConditions(Document):
    """How the compiled forms were measured before they were published: frames, candle files and processor.

    `keras_frames_per_s` is the speed of the Keras engine in the same run.
    """

    processor: str
    openvino: str
    candles: tuple[str, ...]
    calibration_frames: int
    parity_frames: int
    keras_frames_per_s: float


class CompiledForms(Document):
    """The compiled forms, the fastest first; none if the model was published without. Keras runs every model."""

    forms: tuple[MeasuredForm, ...] = ()
    conditions: Annotated[MeasurementConditions | None, Field(validation_alias="trial", serialization_alias="trial")] = None

    @property
    def files(self) -> set[str]:
        """The names of all files of the forms."""
        return {name for form in self.forms for name in form.files}
