"""The settings of the service, read from environment variables."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from coinfarm.engines.loading import EngineChoice
from coinfarm.errors import CoinfarmError
from coinfarm.models.cache import default_cache_dir

_ORIGIN = r"https?://[^\s/,*]+"
_ORIGINS = rf"^(\*|{_ORIGIN}(\s*,\s*{_ORIGIN})*)$"


def reference_model_uri() -> str:
    """The model root inside the package."""
    return str(files("coinfarm") / "reference_model")


class EnvironmentSettings(BaseModel):
    """Frozen settings, each read from the environment variable of its field's name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_min_length=1)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings. Raises `CoinfarmError` with the name of the invalid variable."""
        given = {name: environment[name.upper()] for name in cls.model_fields if environment.get(name.upper())}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            variable = str(first["loc"][0]).upper()
            if first["type"] == "missing":
                raise CoinfarmError(f"{variable} is not set") from None
            raise CoinfarmError(f"{variable}={first['input']!r}: {first['msg']}") from None


class Settings(EnvironmentSettings):
    """The settings of the service: model, limits, roots."""

    model_uri: str = Field(default_factory=reference_model_uri)
    """A model root or the folder of one bundle (`s3://bucket/prefix` or a local folder), or a bare `.keras` file."""
    model_refresh_s: Annotated[float, Field(ge=0)] = 60
    """How long the model manager uses a version before it checks for a new one; 0: until the next request."""
    model_cache_dir: Path = Field(default_factory=default_cache_dir)
    """The folder for downloaded model versions. Only this user may have write access."""
    engine: EngineChoice = "auto"
    """The engine; `coinfarm.engines.loading.load_engine` describes `auto`."""
    engine_threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    """The engine's threads on the processor; if unset, one for each core that the process may use, within its container's CPU limit."""
    max_batch: Annotated[int, Field(ge=1, le=4096)] = 100
    """The maximum frames per engine call, which limits the memory."""
    max_frames: Annotated[int, Field(ge=1)] = 1000
    """The maximum frames per request."""
    max_body_bytes: Annotated[int, Field(ge=1)] = 6_000_000
    """The maximum size of a request body; Lambda's own limit is 6 MB."""
    max_record_frames: Annotated[int, Field(ge=1)] = 50_000
    """The maximum frames per SQS message: more than a month of 1-minute candles."""
    max_candle_file_bytes: Annotated[int, Field(ge=1)] = 200_000_000
    """The maximum size of a file in `candlesUri`; an eighth of it for JSON, which takes more memory."""
    candles_root: str | None = None
    """The root for `candlesUri`; if unset, messages with such a URI are rejected."""
    results_root: str | None = None
    """The root for `resultsUri`; if unset, every message is rejected."""
    cors_origins: Annotated[str, Field(pattern=_ORIGINS)] | None = None
    """The origins of web pages that may call the API from a browser, separated by commas, or `*` for all; if unset, none may."""
    prediction_cache_frames: Annotated[int, Field(ge=0)] = 10_000
    """The maximum frames in the prediction cache; 0 disables it."""

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """`cors_origins`, one by one."""
        return () if self.cors_origins is None else tuple(origin.strip() for origin in self.cors_origins.split(","))
