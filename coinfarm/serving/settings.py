"""The settings, read once from the environment into one frozen object."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from coinfarm.engines.loading import EngineChoice
from coinfarm.errors import CoinfarmError
from coinfarm.models.cache import default_cache_dir


def reference_model_uri() -> str:
    """The model root that travels with the package."""
    return str(files("coinfarm") / "reference_model")


class FromEnvironment(BaseModel):
    """Frozen settings, each read from the environment variable of its field's name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_min_length=1)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raises `CoinfarmError` that names the variable at fault."""
        given = {name: environment[name.upper()] for name in cls.model_fields if environment.get(name.upper())}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            variable = str(first["loc"][0]).upper()
            if first["type"] == "missing":
                raise CoinfarmError(f"{variable} is not set") from None
            raise CoinfarmError(f"{variable}={first['input']!r}: {first['msg']}") from None


class Settings(FromEnvironment):
    """Of the service: the model, the limits, the roots."""

    model_uri: str = Field(default_factory=reference_model_uri)
    """A model root (`s3://bucket/models/NAME` or a folder), or a bare `.keras` file."""
    model_refresh_s: Annotated[float, Field(ge=0)] = 60
    model_cache_dir: Path = Field(default_factory=default_cache_dir)
    """Where downloaded model versions are kept. Only this user may be able to write there."""
    engine: EngineChoice = "auto"
    """What runs the model; `auto` is the fastest that its bundle has and the processor supports."""
    max_batch: Annotated[int, Field(ge=1, le=4096)] = 100
    """The most frames that an engine is given at once: it bounds the memory."""
    max_frames: Annotated[int, Field(ge=1)] = 1000
    """The most frames of one request."""
    max_body_bytes: Annotated[int, Field(ge=1)] = 6_000_000
    """The largest body of a request, as it arrives; Lambda's own limit is 6 MB."""
    max_record_frames: Annotated[int, Field(ge=1)] = 50_000
    """The most frames of one message of the queue: more than a month of minutes."""
    max_candle_file_bytes: Annotated[int, Field(ge=1)] = 200_000_000
    """The largest file that a `candlesUri` may name; of JSON, which takes more memory, an eighth of it."""
    candles_root: str | None = None
    """Where `candlesUri` may point; unset, messages with such a URI are refused."""
    results_root: str | None = None
    """Where `resultsUri` may point; unset, messages with such a URI are refused."""
    answer_cache_frames: Annotated[int, Field(ge=0)] = 10_000
    """How many frames' answers a container remembers; 0 remembers none."""
