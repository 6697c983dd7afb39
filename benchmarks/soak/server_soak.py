"""The soak test of a server: `coinfarm serve` under load for minutes, while the version in service is switched."""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.reference import reference_bundle
from benchmarks.soak import child_processes
from benchmarks.soak.load import LoadResponse, poisson_arrivals, send_requests
from benchmarks.soak.model_switches import ModelSwitch, switch_models
from benchmarks.soak.process_metrics import ProcessMetrics, record_metrics
from benchmarks.soak.request_mix import BATCH_FRAMES, RequestMix
from benchmarks.soak.scaled_models import scaled_model
from benchmarks.soak.server_result import REFRESH_S, ServerOptions, ServerResult
from coinfarm.candles.synthetic import START_OF_2026_MS, generate
from coinfarm.engines.loading import load_engine
from coinfarm.errors import CoinfarmError
from coinfarm.models.promotion import promote
from coinfarm.models.publish import publish
from coinfarm.prediction.model_manager import LoadedModel
from coinfarm.prediction.predictor import Predictor
from coinfarm.prediction.series import Series
from coinfarm.storage import Storage, open_storage
from image_render.spec import STANDARD

_CONNECTIONS = 4
_FACTORS = (1.0, 1.25, 0.8)
_MAX_METRICS_PERIOD_S = 1.0

OnProgress = Callable[[float, float], None]


def soak_server(models_root: str, folder: Path, options: ServerOptions, on_progress: OnProgress) -> ServerResult:
    """Start a server with a model root in S3, and load it. Logs go to the folder."""
    candles = generate("DEMOUSD", "1m", START_OF_2026_MS, options.windows + STANDARD.window_candles - 1, options.seed)
    reference = reference_bundle()
    bundles = [scaled_model(reference, folder / f"times-{factor:g}", factor) for factor in _FACTORS]
    models = [LoadedModel(bundle, load_engine(bundle, "auto", BATCH_FRAMES), load_ms=0) for bundle in bundles]
    expected = {model.version: Predictor(model, BATCH_FRAMES).predict(Series(candles)).values_pct for model in models}
    storage = open_storage(models_root)
    versions = [publish(storage, bundle) for bundle in bundles]
    promote(storage, versions[0])
    mix = RequestMix(candles, expected, options.seed)
    log = folder / "serve.log"
    settings = {"MODEL_REFRESH_S": REFRESH_S, "MODEL_CACHE_DIR": folder / "cache"}
    server = child_processes.start(("serve", "--port", "0", "--model", models_root), log, settings)
    with child_processes.terminated(server):
        url = re.search(r"http://[\d.:]+", child_processes.wait_for_log_line("Serving on", log, server))
        assert url is not None
        switches = [ModelSwitch(versions[0], "promote", float("-inf"), float("-inf"))]
        metrics: list[ProcessMetrics] = []
        responses = asyncio.run(
            _load(_Server(url[0], server.pid), options, mix, _Switcher(storage, versions, switches), metrics, on_progress)
        )
    return ServerResult(options, models[0].engine.name, responses, switches, metrics)


@dataclass(frozen=True)
class _Server:
    url: str
    pid: int


@dataclass(frozen=True)
class _Switcher:
    storage: Storage
    versions: Sequence[str]
    switches: list[ModelSwitch]

    async def run(self, count: int, duration_s: float) -> None:
        await switch_models(self.storage, self.versions, count, duration_s, self.switches)


async def _load(
    server: _Server,
    options: ServerOptions,
    mix: RequestMix,
    switcher: _Switcher,
    metrics: list[ProcessMetrics],
    on_progress: OnProgress,
) -> list[LoadResponse]:
    await _warm_up(server.url, mix)
    period_s = min(_MAX_METRICS_PERIOD_S, options.duration_s / 60)
    background = [
        asyncio.create_task(record_metrics(psutil.Process(server.pid), period_s, metrics)),
        asyncio.create_task(_report_progress(options.duration_s, on_progress)),
    ]
    due_s = poisson_arrivals(options.rate_per_s, options.duration_s, options.seed)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(switcher.run(options.switches, options.duration_s))
            sending = group.create_task(send_requests(server.url, mix.sample, mix.validate, due_s, _CONNECTIONS))
    finally:
        for task in background:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    return sending.result()


async def _warm_up(url: str, mix: RequestMix) -> None:
    """Request every window once, to fill the prediction cache. Raises `CoinfarmError` if a request fails."""
    batches = mix.batches()
    requests = iter(batches)
    responses = await send_requests(url, lambda: next(requests), mix.validate, (0.0 for _ in batches), connections=1)
    errors = [response.error for response in responses if response.error is not None]
    if errors:
        raise CoinfarmError(f"the server failed during warm-up ({errors[0]}); --logs FOLDER keeps its log")


async def _report_progress(duration_s: float, on_progress: OnProgress) -> None:
    started_s = time.perf_counter()
    while True:
        on_progress(min(time.perf_counter() - started_s, duration_s), duration_s)
        await asyncio.sleep(0.5)
