"""What a model's predictions are about: its horizon, and the intervals of the candles that it was trained on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from coinfarm.candles.interval import canonical_interval, listed_intervals
from coinfarm.errors import CoinfarmError
from coinfarm.models.manifest import Manifest

_HORIZON, _INTERVAL = b"horizon_candles", b"model_interval"
_MAX_HORIZON = 1_000_000


@dataclass(frozen=True)
class ModelScope:
    """The number of candles that are predicted, and the interval of the training candles, such as `1m`; each None if it is unknown.

    The intervals of a model that was trained on several are separated by commas: `1m, 1h`.
    """

    horizon_candles: int | None = None
    interval: str | None = None

    @classmethod
    def of(cls, manifest: Manifest) -> "ModelScope":
        return cls(manifest.horizon_candles, None if manifest.training is None else ", ".join(manifest.training.intervals))

    @classmethod
    def from_metadata(cls, metadata: Mapping[bytes, bytes] | None) -> "ModelScope":
        """From the metadata of a file of predictions; unknown in those of older releases. Raises `ValueError` for an invalid number."""
        found = metadata or {}
        horizon, interval = found.get(_HORIZON), found.get(_INTERVAL)
        candles = None if horizon is None else int(horizon)
        if candles is not None and not 0 < candles <= _MAX_HORIZON:
            raise ValueError(f"horizon_candles in its metadata is {candles}: it must be from 1 to {_MAX_HORIZON}")
        return cls(candles, None if interval is None else ", ".join(listed_intervals(interval.decode())))

    @classmethod
    def common(cls, scopes: "Iterable[ModelScope]") -> "ModelScope":
        """What all known ones agree on. Raises `CoinfarmError` if they do not agree."""
        known = set(scopes)
        horizons = {scope.horizon_candles for scope in known} - {None}
        intervals = {scope.interval for scope in known} - {None}
        if len(horizons) > 1 or len(intervals) > 1:
            found = ", ".join(sorted(str(value) for values in (horizons, intervals) if len(values) > 1 for value in values))
            raise CoinfarmError(f"the predictions were made by models of different horizons or intervals: {found}")
        return cls(next(iter(horizons), None), next(iter(intervals), None))

    @property
    def is_known(self) -> bool:
        return self != UNKNOWN_SCOPE

    def metadata(self) -> dict[bytes, bytes]:
        """What is known, for the metadata of a Parquet file."""
        horizon = {} if self.horizon_candles is None else {_HORIZON: str(self.horizon_candles).encode()}
        return horizon | ({} if self.interval is None else {_INTERVAL: self.interval.encode()})

    def differs_from(self, interval: str) -> bool:
        """Whether the model is known to have been trained on other intervals only."""
        return self.interval is not None and canonical_interval(interval) not in listed_intervals(self.interval)


UNKNOWN_SCOPE = ModelScope()
