"""The manifest of a run: what was asked for, of which model, where its candles and results lie, and what it was said to cost."""

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from coinfarm.backfill.estimate import ComputeTargetName, Quote
from coinfarm.backfill.shard import MAX_SHARD_DAYS, Shard, shards_between
from coinfarm.candles.interval import Interval
from coinfarm.candles.symbol import Symbol
from coinfarm.documents import Document, FromDate, ToDate
from coinfarm.errors import Conflict, NotFound
from coinfarm.models.version import Version
from coinfarm.serving.request import Stride
from coinfarm.serving.settings import reference_model_uri
from coinfarm.storage import Storage, open_storage

KEY = "manifest.json"
_MAX_BYTES = 1_000_000


class RunManifest(Document):
    """The shards are the days from `from_date` on and before `to_date`, of each symbol, `shard_days` at a time.

    Runs that 0.1 planned have shards of one day at any interval.

    `model_uri` is None for the model that comes with the package. `way` is how it is to be paid for.
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
    way: ComputeTargetName
    quote: Quote

    def shards(self) -> Iterator[Shard]:
        """Always in the same order: symbol by symbol, day by day."""
        for symbol in self.symbols:
            yield from shards_between(symbol, self.interval, self.from_date, self.to_date, self.stride, self.shard_days)

    def same_work_as(self, other: "RunManifest") -> bool:
        """Whether the two differ in nothing but when they were made and what was quoted."""
        told = {"created_at", "quote", "way"}
        return self.model_dump(exclude=told) == other.model_dump(exclude=told)


class Run:
    """A run that was planned: its manifest, and the storages that it names. What is read is read when it is first needed."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    @classmethod
    def at(cls, root: str) -> "Run":
        """The run at a folder or `s3://` URI; nothing is asked of it yet."""
        return cls(open_storage(root))

    @cached_property
    def manifest(self) -> RunManifest:
        """Raises `NotFound` where nothing was planned."""
        try:
            blob = self.storage.read(KEY, _MAX_BYTES)
        except NotFound:
            raise NotFound(f"{self.storage.uri()} holds no run: plan one there with `coinfarm backfill plan --run`") from None
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

    def write(self, manifest: RunManifest) -> bool:
        """Keep the manifest, which never changes from then on; False where the same was kept before.

        Raises `Conflict` where another is.
        """
        try:
            self.storage.write(KEY, manifest.to_json(), content_type="application/json", create_only=True)
        except Conflict:
            if manifest.same_work_as(self.manifest):
                return False
            raise Conflict(f"{self.storage.uri(KEY)} belongs to another run: choose another --run, or delete that one") from None
        return True
