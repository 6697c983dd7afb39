"""The compiled forms of a model, how close they come to Keras, and how fast they are."""

from typing import Annotated, Literal

from pydantic import Field

from coinfarm.documents import Document

MIN_CORRELATION = 0.999
MAX_RMS_DIFFERENCE_SHARE = 0.04

# no part starts with a dot, so that none is `..`
_FILE = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$"
FileName = Annotated[str, Field(pattern=_FILE, max_length=200)]


class Parity(Document):
    """How close an output of a compiled form comes to that of float32 Keras, on real frames that it was not calibrated on.

    `rms_difference_share` is the root-mean-square difference, as a share of the output's own standard deviation.
    """

    correlation: Annotated[float, Field(ge=-1, le=1)]
    rms_difference_share: Annotated[float, Field(ge=0)]

    @property
    def is_close(self) -> bool:
        """Whether the form may serve in the place of Keras."""
        return self.correlation >= MIN_CORRELATION and self.rms_difference_share <= MAX_RMS_DIFFERENCE_SHARE


class CompiledForm(Document):
    """The model compiled by OpenVINO: `file` is the graph, and its weights lie beside it, in a file that ends in `.bin`.

    `precision` is that of the layers which are not quantised. Of each group in `needs` the processor must have one flag, as Linux
    spells them.
    """

    name: Literal["f32", "bf16", "int8", "int8-bf16"]
    file: Annotated[FileName, Field(pattern=r"^compiled/.+\.xml$")]
    precision: Literal["f32", "bf16"]
    needs: tuple[tuple[str, ...], ...] = ()

    @property
    def files(self) -> tuple[str, str]:
        """The graph and its weights, where OpenVINO looks for them."""
        return self.file, self.file.removesuffix(".xml") + ".bin"

    def runs_on(self, flags: frozenset[str]) -> bool:
        """Whether a processor with those flags runs this form as it was measured."""
        return all(flags.intersection(group) for group in self.needs)


class MeasuredForm(CompiledForm):
    """A compiled form that was found fit to serve; `parity` is by output."""

    parity: dict[str, Parity]
    frames_per_s: Annotated[float, Field(gt=0)]


class Trial(Document):
    """How the compiled forms were tried before they were published: on how many frames, drawn from which candles, on what processor.

    `keras_frames_per_s` is that of the Keras engine in the same run, to compare with.
    """

    processor: str
    openvino: str
    candles: tuple[str, ...]
    calibration_frames: int
    parity_frames: int
    keras_frames_per_s: float


class Engines(Document):
    """The compiled forms, the fastest first; none where the model was published without. Keras runs every model."""

    forms: tuple[MeasuredForm, ...] = ()
    trial: Trial | None = None
