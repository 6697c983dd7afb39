"""What Prometheus scrapes: the metrics of this process, or of all processes that share a socket or a machine.

Several processes write their metrics to files of the folder PROMETHEUS_MULTIPROC_DIR, and each of them answers for all.
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def scraped_registry(own: CollectorRegistry, collectors: Iterable[Collector]) -> CollectorRegistry:
    """The registry to export: `own` has the metrics of this process, `collectors` what is found at each scrape."""
    folder = os.environ.get(FOLDER_VARIABLE)
    exported = CollectorRegistry() if folder else own
    for collector in collectors:
        exported.register(collector)
    PlatformCollector(exported)
    if folder:
        MultiProcessCollector(exported, folder)
        exported.register(_ProcessesCollector(Path(folder)))
    else:
        ProcessCollector(registry=exported)
    return exported


def exported_text(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """The metrics and their media type, in the format that the `accept` header of the request asks for."""
    encode, media_type = choose_encoder(accept)
    return encode(registry), media_type


class _ProcessesCollector(Collector):
    """`process_*` of each process, by its id: prometheus_client has them only for a single process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        ids = {int(found[1]) for path in self._folder.glob("*.db") if (found := re.search(r"_(\d+)\.db$", path.name))}
        families: dict[str, Metric] = {}
        for process_id in sorted(ids):
            for metric in _process_metrics(process_id):
                family = families.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
                for sample in metric.samples:
                    family.add_sample(sample.name, {**sample.labels, "pid": str(process_id)}, sample.value)
        yield from families.values()


def _process_metrics(process_id: int) -> Iterable[Metric]:
    """None for a process that has ended."""
    return ProcessCollector(pid=lambda: process_id, registry=None).collect()
