"""The result of the soak test of a server."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.soak.checks import Check
from benchmarks.soak.load import LoadResponse
from benchmarks.soak.model_switches import ModelSwitch, switch_delays_s, unexpected_versions
from benchmarks.soak.process_metrics import ProcessMetrics, Trend, trend
from benchmarks.soak.request_mix import BATCH_FRAMES, NPZ_FRAMES, SHARES

REFRESH_S = 1
MAX_SWITCH_DELAY_S = REFRESH_S + 3
"""The server reads the pointer every `REFRESH_S`; the rest is for loading the model on a busy machine."""
MAX_GROWTH_SHARE = 0.05
MIN_TREND_S = 240
MAX_THREAD_OR_FILE_GROWTH = 2


@dataclass(frozen=True)
class ServerOptions:
    """The duration and rate of the load, the number of switches, and the number of different windows (more than the cache holds)."""

    duration_s: float
    rate_per_s: float
    switches: int
    windows: int
    seed: int


@dataclass(frozen=True)
class ServerResult:
    """The responses and metrics of a server. The first of the `switches` is the initial state."""

    options: ServerOptions
    engine: str
    responses: list[LoadResponse]
    switches: list[ModelSwitch]
    metrics: list[ProcessMetrics]

    @property
    def errors(self) -> list[str]:
        return [response.error for response in self.responses if response.error is not None]

    @property
    def switch_delays_s(self) -> list[float | None]:
        return switch_delays_s(self.switches, self.responses)

    @property
    def unexpected_versions(self) -> list[LoadResponse]:
        return unexpected_versions(self.switches, self.responses, MAX_SWITCH_DELAY_S)

    @property
    def max_latency_after_switch_ms(self) -> list[float]:
        """For each switch, the maximum latency of the requests due within `MAX_SWITCH_DELAY_S` after it."""
        return [
            max(
                (each.latency_ms for each in self.responses if switch.started_s <= each.due_s <= switch.started_s + MAX_SWITCH_DELAY_S),
                default=0.0,
            )
            for switch in self.switches[1:]
        ]

    def trend(self, metric: Callable[[ProcessMetrics], float]) -> Trend:
        return trend([each.at_s for each in self.metrics], [metric(each) for each in self.metrics])

    @property
    def seconds(self) -> float:
        return max(response.ended_s for response in self.responses) - min(response.due_s for response in self.responses)

    def latencies_ms(self, kind: str | None = None) -> dict[str, float]:
        """Percentiles of one kind of request, or of all."""
        latencies = [response.latency_ms for response in self.responses if kind in (None, response.kind)]
        if not latencies:
            return {}
        percentiles = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p99.9": 99.9, "max": 100.0}
        return dict(zip(percentiles, map(float, np.percentile(latencies, list(percentiles.values()))), strict=True))

    def checks(self) -> list[Check]:
        """The checks, without those of memory, threads and files if the test was too short to measure growth."""
        delays = self.switch_delays_s
        slowest = max((seconds for seconds in delays if seconds is not None), default=float("inf"))
        checks = [
            Check("no request fails", not self.errors, f"{len(self.errors)} of {len(self.responses):,}"),
            Check("only versions in service respond", not self.unexpected_versions, f"{len(self.unexpected_versions)} unexpected"),
            Check(
                f"a promoted version is in service within {MAX_SWITCH_DELAY_S} s",
                None not in delays and slowest <= MAX_SWITCH_DELAY_S,
                f"{len(delays) - delays.count(None)} of {len(delays)}, the slowest after {slowest:.1f} s",
            ),
        ]
        return checks if self.options.duration_s < MIN_TREND_S else [*checks, *self._growth_checks()]

    def _growth_checks(self) -> Iterator[Check]:
        memory = self.trend(lambda metrics: metrics.rss_mb)
        yield Check(
            f"memory grows by at most {100 * MAX_GROWTH_SHARE:g} % in the last two thirds",
            memory.growth_share <= MAX_GROWTH_SHARE,
            f"{memory.growth:+.1f} MB of {memory.mean:.0f}",
        )
        for name, each in (
            ("threads", self.trend(lambda metrics: metrics.threads)),
            ("open files", self.trend(lambda metrics: metrics.open_files)),
        ):
            yield Check(
                f"{name} grow by at most {MAX_THREAD_OR_FILE_GROWTH} in that time",
                each.growth <= MAX_THREAD_OR_FILE_GROWTH,
                f"{each.growth:+.1f} of {each.mean:.0f}",
            )

    def document(self) -> dict[str, Any]:
        """The result for soak.json."""
        memory = self.trend(lambda metrics: metrics.rss_mb)
        counts = Counter(response.kind for response in self.responses)
        first, last = self.metrics[0], self.metrics[-1]
        return {
            "seconds": self.seconds,
            "engine": self.engine,
            "requestsPerSecond": len(self.responses) / self.seconds,
            "requests": dict(sorted(counts.items())),
            "framesPredicted": counts["one frame"] + BATCH_FRAMES * counts["batch of 100 frames"] + NPZ_FRAMES * counts["npz of 8 frames"],
            "failed": len(self.errors),
            "faults": self.errors[:10],
            "unexpectedVersions": len(self.unexpected_versions),
            "latencyMs": {"all": self.latencies_ms(), **{kind: self.latencies_ms(kind) for kind in SHARES if counts[kind]}},
            "switches": [
                {"version": switch.version, "method": switch.method, "delayS": delay_s, "maxLatencyMs": max_latency_ms}
                for switch, delay_s, max_latency_ms in zip(
                    self.switches[1:], self.switch_delays_s, self.max_latency_after_switch_ms, strict=True
                )
            ],
            "refreshS": REFRESH_S,
            "memoryMb": {
                "mean": memory.mean,
                "max": max(each.rss_mb for each in self.metrics),
                "growth": memory.growth,
                "growthPerHour": memory.growth_per_hour,
                "overTime": [round(each.rss_mb, 1) for each in self.metrics[:: max(1, len(self.metrics) // 60)]],
            },
            "threads": _range(each.threads for each in self.metrics),
            "openFiles": _range(each.open_files for each in self.metrics),
            "cores": (last.cpu_s - first.cpu_s) / (last.at_s - first.at_s),
        }


def _range(values: Iterable[int]) -> dict[str, int]:
    listed = list(values)
    return {"min": min(listed), "max": max(listed)}
