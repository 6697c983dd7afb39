"""The manifest of a model bundle: what a version of a model is, and what serving it must know."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from coinfarm.errors import ModelError, NotFound
from coinfarm.outputs import OUTPUT_NAMES, OutputName
from image_render.digest import frame_digest
from image_render.spec import STANDARD, VERSION

MANIFEST_FILE = "manifest.json"
MODEL_FILE = "model.keras"
MAX_MANIFEST_BYTES = 1_000_000
MAX_MODEL_BYTES = 500_000_000
"""Of each file of a bundle."""
MIN_CORRELATION = 0.999
MAX_RMS_DIFFERENCE_SHARE = 0.04

_VERSION = r"^([0-9]{8}|bare)-[0-9a-f]{8}$"
# no part starts with a dot, so that none is `..`
_FILE = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$"

Version = Annotated[str, Field(pattern=_VERSION)]
FileName = Annotated[str, Field(pattern=_FILE, max_length=200)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FromDate = Annotated[date, Field(validation_alias="from", serialization_alias="from")]
ToDate = Annotated[date, Field(validation_alias="to", serialization_alias="to")]


def is_version(text: str) -> bool:
    """Whether `text` is spelled as the version of a model, `20260131-0a1b2c3d` or `bare-0a1b2c3d`: safe in a path."""
    return re.fullmatch(_VERSION, text) is not None


def checked_version(version: str) -> str:
    """The version itself; raises `NotFound` for what cannot be one."""
    if not is_version(version):
        raise NotFound(f"{version!r} is not a version of a model: versions look like 20260131-0a1b2c3d")
    return version


def bundle_key(version: str, file: str = MANIFEST_FILE) -> str:
    """Where a file of a version lies under a model root; raises as `checked_version`."""
    return f"versions/{checked_version(version)}/{file}"


class Document(BaseModel):
    """A frozen JSON document: camelCase there, snake_case here, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, allow_inf_nan=False)

    @classmethod
    def parse(cls, data: bytes, where: str) -> Self:
        """From what was stored at `where`; raises `ModelError`."""
        with naming_faults(where):
            return cls.model_validate_json(data)

    def to_json(self) -> bytes:
        """As it is stored."""
        return self.model_dump_json(by_alias=True, exclude_none=True, indent=2).encode() + b"\n"


@contextmanager
def naming_faults(where: str) -> Iterator[None]:
    """Turns pydantic's error into a `ModelError` that names `where` and the fields at fault."""
    try:
        yield
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc'])) or 'document'}: {fault['msg']}" for fault in error.errors()]
        raise ModelError(f"{where} is no valid one: {'; '.join(faults[:3])}") from error


class FrameGeometry(Document):
    """How the frames were drawn that the model was trained on."""

    version: int
    window_candles: int
    price_rows: int
    digest: Sha256

    @classmethod
    def current(cls) -> "FrameGeometry":
        """How this code draws them."""
        return cls(
            version=VERSION,
            window_candles=STANDARD.window_candles,
            price_rows=STANDARD.price_rows,
            digest=frame_digest(STANDARD),
        )


class Output(Document):
    """One number that the model puts out per frame.

    With `return_map` it is a real-valued class, to be interpolated linearly in this list of class → value, and held at its ends. The value
    is in percent of the window's last close, or in `window_range` units: a fraction of the window's own (max high − min low) / last close.
    """

    name: OutputName
    unit: Literal["percent", "window_range"] = "percent"
    return_map: Annotated[tuple[float, ...], Field(min_length=2)] | None = None


class Member(Document):
    """One network of the model, and the outputs that it gives, in order."""

    file: Annotated[str, Field(pattern=r"\.keras$")]
    outputs: tuple[str, ...]


class FileDigest(Document):
    """What a file of the bundle must be."""

    sha256: Sha256
    bytes: Annotated[int, Field(ge=0, le=MAX_MODEL_BYTES)]


class Split(Document):
    """One part of the training data: `from_date` is in it, `to_date` is not."""

    from_date: FromDate
    to_date: ToDate
    frames: int


class TrainingData(Document):
    """What the model has seen, over all splits; `to_date` is not in it.

    `cutoff_ms` is per symbol the time, in milliseconds UTC, before which a window is in-sample.
    """

    symbols: tuple[str, ...]
    interval: str
    from_date: FromDate
    to_date: ToDate
    cutoff_ms: Annotated[dict[str, int], Field(min_length=1)]
    frames: int
    splits: dict[str, Split]

    def cutoff_of(self, symbol: str) -> int:
        """The symbol's cut-off. A coin that the model has not seen moves with those it has: the latest cut-off of any counts."""
        return self.cutoff_ms.get(symbol, max(self.cutoff_ms.values()))


class LayerSummary(Document):
    """One layer of the network, in the order in which a frame goes through them.

    `output_shape` is without the batch axis; `multiply_adds` are for one frame.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: Annotated[int, Field(ge=0)]
    multiply_adds: Annotated[int, Field(ge=0)]


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


class Manifest(Document):
    """One version of a model.

    `files` are all of its files by relative path, but for the manifest itself. The outputs of the `members`, one after another, are
    `outputs`. `metrics` are `{split: {output: {metric: value}, "baselines": {baseline: {output: {metric: value}}}}}`; `architecture`
    are the layers, those of one member after those of another; `engines` are the compiled forms with their measured parity.
    """

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
    engines: Engines = Engines()

    def check_geometry(self) -> None:
        """Raises `ModelError` if the model was trained on frames that this code would draw otherwise."""
        current = FrameGeometry.current()
        if self.frame != current:
            raise ModelError(
                f"model {self.version} wants frames of {_described(self.frame)}, this code draws {_described(current)}: "
                "serve it with the release that it was made with, or train it again"
            )

    @model_validator(mode="after")
    def _is_consistent(self) -> "Manifest":
        names = [output.name for output in self.outputs]
        if sorted(names) != sorted(OUTPUT_NAMES):
            raise ValueError(f"outputs must be {', '.join(OUTPUT_NAMES)}, each once, in any order")
        if [name for member in self.members for name in member.outputs] != names:
            raise ValueError("the outputs of the members, one after another, are not the outputs of the model")
        missing = [member.file for member in self.members if member.file not in self.files]
        if missing or MANIFEST_FILE in self.files:
            raise ValueError(f"files must hold every member ({', '.join(missing)} missing), and not the manifest itself")
        if any(set(form.files) - self.files.keys() for form in self.engines.forms):
            raise ValueError("files must hold the graph and the weights of every compiled form")
        if any(sorted(form.parity) != sorted(names) for form in self.engines.forms):
            raise ValueError("a compiled form must give the parity of each output")
        fingerprint = fingerprint_of([self.files[member.file].sha256 for member in self.members])
        if not self.version.endswith(f"-{fingerprint}"):
            raise ValueError(f"version {self.version} does not end in {fingerprint}, the fingerprint of the members")
        return self


def fingerprint_of(member_sha256s: Sequence[str]) -> str:
    """The end of a version: 8 hex digits of the one member's sha256, or of the sha256 over those of several."""
    if len(member_sha256s) == 1:
        return member_sha256s[0][:8]
    return hashlib.sha256("".join(member_sha256s).encode()).hexdigest()[:8]


def _described(frame: FrameGeometry) -> str:
    return f"{frame.window_candles} candles × {frame.price_rows} rows, spec {frame.version}, digest {frame.digest[:8]}"
