"""The manifest of a run: the request, the model version, the URIs of candles and results, and the cost estimate."""

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from coinfarm.backfill.estimate import ComputeTargetName, CostEstimate
from coinfarm.backfill.shard import MAX_SHARD_DAYS, Shard, shards_between
from coinfarm.candles.interval import Interval
from coinfarm.candles.symbol import Symbol
from coinfarm.documents import Document, FromDate, ToDate
from coinfarm.errors import Conflict, ModelError, NotFound, StorageError
from coinfarm.models.store import open_model_source
from coinfarm.models.version import Version
from coinfarm.prediction.model_scope import ModelScope
from coinfarm.serving.request import Stride
from coinfarm.serving.settings import reference_model_uri
from coinfarm.storage import Storage, open_storage

KEY = "manifest.json"
_MAX_BYTES = 1_000_000


class RunManifest(Document):
    """The days from `from_date` up to but not including `to_date` of each symbol, in shards of `shard_days` days.

    Runs planned by 0.1 have shards of one day at any interval. If `model_uri` is None, the model of the package is used. `target` is the
    compute target that the run is planned for.
    """

    format: Literal[1] = 1
    created_at: AwareDatetime
    symbols: Annotated[tuple[Symbol, ...], Field(min_length=1)]
    interval: Interval
    from_date: FromDate
    to_date: ToDate
    stride: Stride = 1
    shard_days: Annotated[int, Field(ge=1, le=MAX_SHARD_DAYS)] = 1
    model_uri: str | None = None
    model_version: Version
    candles_uri: str
    results_uri: str
    target: ComputeTargetName = Field(alias="way")
    estimate: CostEstimate = Field(alias="quote")

    def shards(self) -> Iterator[Shard]:
        """The shards in a fixed order: by symbol, then by day."""
        for symbol in self.symbols:
            yield from shards_between(symbol, self.interval, self.from_date, self.to_date, self.stride, self.shard_days)

    def requests_same_predictions(self, other: "RunManifest") -> bool:
        """Whether both request the same predictions, whatever their creation time, estimate and compute target."""
        ignored = {"created_at", "estimate", "target"}
        return self.model_dump(exclude=ignored) == other.model_dump(exclude=ignored)


class Run:
    """A planned run: its manifest, and the storages that it names. Everything is read when it is first used."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    @classmethod
    def at(cls, root: str) -> "Run":
        """The run at a folder or `s3://` URI. Nothing is read yet."""
        return cls(open_storage(root))

    @cached_property
    def manifest(self) -> RunManifest:
        """The stored manifest. Raises `NotFound` if there is none."""
        try:
            blob = self.storage.read(KEY, _MAX_BYTES)
        except NotFound:
            raise NotFound(f"{self.storage.uri()} is not a run: plan one there with `coinfarm backfill plan --run`") from None
        return RunManifest.parse(blob.data, self.storage.uri(KEY))

    @cached_property
    def candles(self) -> Storage:
        return open_storage(self.manifest.candles_uri)

    @cached_property
    def results(self) -> Storage:
        return open_storage(self.manifest.results_uri)

    @property
    def model_uri(self) -> str:
        return self.manifest.model_uri or reference_model_uri()

    def scope(self) -> ModelScope:
        """The scope of the run's model, for results that do not say it; unknown if the model's manifest cannot be read."""
        try:
            manifest = open_model_source(self.model_uri).manifest(self.manifest.model_version)
        except (StorageError, ModelError):
            return ModelScope()
        return ModelScope() if manifest is None else ModelScope.of(manifest)

    def write(self, manifest: RunManifest) -> bool:
        """Store the manifest, which never changes afterwards. Returns False if the same is stored already.

        Raises `Conflict` if another manifest is stored.
        """
        try:
            self.storage.write(KEY, manifest.to_json(), content_type="application/json", create_only=True)
        except Conflict:
            if manifest.requests_same_predictions(self.manifest):
                return False
            raise Conflict(f"{self.storage.uri(KEY)} belongs to another run: choose another --run, or delete that one") from None
        return True
