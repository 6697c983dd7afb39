"""Estimate the time and cost of a backfill."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from coinfarm.backfill.prices import (
    INSTANCE_USD_PER_H,
    LAMBDA_MB_PER_CORE,
    LAMBDA_USD_PER_GB_S,
    LAMBDA_USD_PER_REQUEST,
    PRICES_DATE,
    S3_USD_PER_READ,
    S3_USD_PER_WRITE,
    SPOT_PRICE_RATIO,
    SQS_USD_PER_REQUEST,
)
from coinfarm.documents import Document

ComputeTargetName = Literal["here", "lambda", "gpu", "gpu-spot"]
FLEET_TARGETS = ("gpu", "gpu-spot")
"""The targets that use the GPU fleet's queue."""

_ASSUMED = "ASSUMED"
ASSUMED_GPU_WINDOWS_PER_S = {"g4dn.xlarge": 29.0}
"""3.15 million windows in an hour on 30 instances with a T4 each: the speed of an earlier system with another network. Not measured with
this one."""

_MESSAGES_PER_CALL = 10


@dataclass(frozen=True)
class Speed:
    """The speed from candles to predictions on `cores` cores. `source` says how it was determined."""

    windows_per_s: float
    cores: int
    source: str


@dataclass(frozen=True)
class ComputeLimits:
    """Limits of the compute targets: concurrent Lambda functions and their memory, GPU instances and their type.

    `gpu_windows_per_s` is the measured speed of one instance; None if it was not measured.
    """

    lambda_functions: int = 10
    lambda_memory_mb: int = 3_008
    instances: int = 30
    instance_type: str = "g4dn.xlarge"
    gpu_windows_per_s: float | None = None


class ComputeTarget(Document):
    """The workers, time and cost on one compute target; None if no speed is known. `basis` says where the speed is from."""

    name: ComputeTargetName
    workers: int
    windows_per_s: float | None = Field(alias="framesPerS")
    seconds: float | None
    usd: float | None
    basis: str

    @property
    def is_assumed(self) -> bool:
        """Whether the speed is that of an earlier system, not a measurement."""
        return self.basis.startswith(_ASSUMED)


class CostEstimate(Document):
    """The number of windows that have candles and of shards, and the compute targets at the prices of `prices_date`.

    `shards_without_candles` of the shards have nothing to predict.
    """

    windows: int = Field(alias="frames")
    shards: int = Field(alias="messages")
    shards_without_candles: int = Field(alias="messagesWithoutCandles")
    prices_date: str
    targets: tuple[ComputeTarget, ...] = Field(alias="ways")

    def target(self, name: ComputeTargetName) -> ComputeTarget:
        """The target of that name. Every estimate has all of them."""
        return next(target for target in self.targets if target.name == name)


def estimate_cost(
    windows: int, shards: int, without_candles: int, reads_per_shard: int, speed: Speed, limits: ComputeLimits
) -> CostEstimate:
    """Estimate the cost on every compute target.

    A shard costs its share of three SQS calls, a read of its result, `reads_per_shard` reads of candle files, and a write.
    """
    calls_usd = shards * (
        3 / _MESSAGES_PER_CALL * SQS_USD_PER_REQUEST
        + (1 + reads_per_shard) * S3_USD_PER_READ
        + (1 + 1 / _MESSAGES_PER_CALL) * S3_USD_PER_WRITE
    )
    lambda_target = _lambda_target(windows, shards, speed, limits, calls_usd)
    targets = (_local_target(windows, speed), lambda_target, *_gpu_targets(windows, shards, limits, calls_usd))
    return CostEstimate(windows=windows, shards=shards, shards_without_candles=without_candles, prices_date=PRICES_DATE, targets=targets)


def _local_target(windows: int, speed: Speed) -> ComputeTarget:
    return ComputeTarget(
        name="here", workers=1, windows_per_s=speed.windows_per_s, seconds=windows / speed.windows_per_s, usd=0.0, basis=speed.source
    )


def _lambda_target(windows: int, shards: int, speed: Speed, limits: ComputeLimits, calls_usd: float) -> ComputeTarget:
    cores = limits.lambda_memory_mb / LAMBDA_MB_PER_CORE
    windows_per_s = speed.windows_per_s / speed.cores * cores
    busy_s = windows / windows_per_s
    invocations = -(-shards // _MESSAGES_PER_CALL)
    workers = min(limits.lambda_functions, invocations)
    usd = busy_s * limits.lambda_memory_mb / 1024 * LAMBDA_USD_PER_GB_S + invocations * LAMBDA_USD_PER_REQUEST + calls_usd
    return ComputeTarget(
        name="lambda",
        workers=workers,
        windows_per_s=windows_per_s,
        seconds=busy_s / workers,
        usd=usd,
        basis=f"{speed.source}, scaled to {cores:.1f} vCPUs ({limits.lambda_memory_mb} MB)",
    )


def _gpu_targets(windows: int, shards: int, limits: ComputeLimits, calls_usd: float) -> tuple[ComputeTarget, ComputeTarget]:
    instance_type, measured = limits.instance_type, limits.gpu_windows_per_s
    windows_per_s = measured or ASSUMED_GPU_WINDOWS_PER_S.get(instance_type)
    if measured:
        basis = f"as given by --gpu-frames-per-s, on one {instance_type}"
    elif windows_per_s:
        basis = f"{_ASSUMED}, not measured: what an earlier system reached on one {instance_type}"
    else:
        basis = f"no speed on {instance_type} is known: set it with --gpu-frames-per-s"
    busy_s = windows / windows_per_s if windows_per_s else None
    workers = min(limits.instances, shards)

    def target(name: ComputeTargetName, price_share: float) -> ComputeTarget:
        return ComputeTarget(
            name=name,
            workers=workers,
            windows_per_s=windows_per_s,
            seconds=None if busy_s is None else busy_s / workers,
            usd=None if busy_s is None else busy_s / 3600 * INSTANCE_USD_PER_H[instance_type] * price_share + calls_usd,
            basis=basis,
        )

    return target("gpu", 1.0), target("gpu-spot", SPOT_PRICE_RATIO)
