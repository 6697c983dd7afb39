"""What a backfill will take and cost, before anything is spent."""

from dataclasses import dataclass
from typing import Literal

from coinfarm.backfill.prices import (
    INSTANCE_USD_PER_H,
    LAMBDA_MB_PER_CORE,
    LAMBDA_USD_PER_GB_S,
    LAMBDA_USD_PER_REQUEST,
    PRICES_DATE,
    S3_USD_PER_READ,
    S3_USD_PER_WRITE,
    SPOT_SHARE_OF_LIST,
    SQS_USD_PER_REQUEST,
)
from coinfarm.documents import Document

ComputeTargetName = Literal["here", "lambda", "gpu", "gpu-spot"]
FLEET_TARGETS = ("gpu", "gpu-spot")
"""Those whose work goes to the queue of the GPU fleet."""

ASSUMED_GPU_FRAMES_PER_S = {"g4dn.xlarge": 29.0}
"""3.15 million frames by 30 instances with a T4 each in an hour: what is known of the system that this one re-creates, with a network of
its own. Nothing was measured with this one."""

_MESSAGES_PER_CALL = 10


@dataclass(frozen=True)
class Speed:
    """Candles to predictions, on so many cores of a machine that `source` names."""

    frames_per_s: float
    cores: int
    source: str


@dataclass(frozen=True)
class Fleet:
    """What the work may be spread over: so many Lambda functions of that memory at once, or so many instances of that type.

    `gpu_frames_per_s` is what was measured on one instance; None where nobody did.
    """

    lambda_functions: int = 10
    lambda_memory_mb: int = 3_008
    instances: int = 30
    instance_type: str = "g4dn.xlarge"
    gpu_frames_per_s: float | None = None


class ComputeTarget(Document):
    """One way to do it: how long on how many workers and for how much; None where no speed is known. `basis` is where the speed is from."""

    name: ComputeTargetName
    workers: int
    frames_per_s: float | None
    seconds: float | None
    usd: float | None
    basis: str


class Quote(Document):
    """Frames that there are candles for, messages (shards), and the ways to do it, at the prices of `prices_date`.

    Of the messages, `messages_without_candles` have nothing to predict.
    """

    frames: int
    messages: int
    messages_without_candles: int
    prices_date: str
    ways: tuple[ComputeTarget, ...]

    def way(self, name: ComputeTargetName) -> ComputeTarget:
        """Every quote has each."""
        return next(way for way in self.ways if way.name == name)


def quote(frames: int, messages: int, without_candles: int, reads_per_message: int, speed: Speed, fleet: Fleet) -> Quote:
    """A message costs its share of three calls of SQS, a look at its place, `reads_per_message` files of candles, and a write."""
    calls_usd = messages * (
        3 / _MESSAGES_PER_CALL * SQS_USD_PER_REQUEST
        + (1 + reads_per_message) * S3_USD_PER_READ
        + (1 + 1 / _MESSAGES_PER_CALL) * S3_USD_PER_WRITE
    )
    ways = (_here(frames, speed), _on_lambda(frames, messages, speed, fleet, calls_usd), *_on_gpus(frames, messages, fleet, calls_usd))
    return Quote(frames=frames, messages=messages, messages_without_candles=without_candles, prices_date=PRICES_DATE, ways=ways)


def _here(frames: int, speed: Speed) -> ComputeTarget:
    return ComputeTarget(
        name="here", workers=1, frames_per_s=speed.frames_per_s, seconds=frames / speed.frames_per_s, usd=0.0, basis=speed.source
    )


def _on_lambda(frames: int, messages: int, speed: Speed, fleet: Fleet, calls_usd: float) -> ComputeTarget:
    cores = fleet.lambda_memory_mb / LAMBDA_MB_PER_CORE
    frames_per_s = speed.frames_per_s / speed.cores * cores
    busy_s = frames / frames_per_s
    invocations = -(-messages // _MESSAGES_PER_CALL)
    workers = min(fleet.lambda_functions, invocations)
    usd = busy_s * fleet.lambda_memory_mb / 1024 * LAMBDA_USD_PER_GB_S + invocations * LAMBDA_USD_PER_REQUEST + calls_usd
    return ComputeTarget(
        name="lambda",
        workers=workers,
        frames_per_s=frames_per_s,
        seconds=busy_s / workers,
        usd=usd,
        basis=f"{speed.source}, scaled to {cores:.1f} vCPUs ({fleet.lambda_memory_mb} MB)",
    )


def _on_gpus(frames: int, messages: int, fleet: Fleet, calls_usd: float) -> tuple[ComputeTarget, ComputeTarget]:
    kind, measured = fleet.instance_type, fleet.gpu_frames_per_s
    frames_per_s = measured or ASSUMED_GPU_FRAMES_PER_S.get(kind)
    if measured:
        basis = f"as given by --gpu-frames-per-s, on one {kind}"
    elif frames_per_s:
        basis = f"ASSUMED, not measured: what an earlier system reached on one {kind}"
    else:
        basis = f"no speed on {kind} is known: give one with --gpu-frames-per-s"
    busy_s = frames / frames_per_s if frames_per_s else None
    workers = min(fleet.instances, messages)

    def way(name: ComputeTargetName, share: float) -> ComputeTarget:
        return ComputeTarget(
            name=name,
            workers=workers,
            frames_per_s=frames_per_s,
            seconds=None if busy_s is None else busy_s / workers,
            usd=None if busy_s is None else busy_s / 3600 * INSTANCE_USD_PER_H[kind] * share + calls_usd,
            basis=basis,
        )

    return way("gpu", 1.0), way("gpu-spot", SPOT_SHARE_OF_LIST)
