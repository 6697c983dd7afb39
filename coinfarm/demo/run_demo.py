"""The demo run: a complete backfill in an empty environment, by the commands that a user would run."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from coinfarm.demo.demo_result import DemoResult, StatusSample, worker_statistics
from coinfarm.demo.environment import DemoEnvironment, Worker
from coinfarm.errors import CoinfarmError
from coinfarm.serving.settings import reference_model_uri
from coinfarm.storage.local_file import write_file

SYMBOLS = ("DEMOBTC", "DEMOETH", "DEMOLTC", "DEMOXRP", "DEMOADA", "DEMOSOL", "DEMODOT", "DEMOXMR")
FIRST_DAY = date(2026, 1, 1)
_STATUS_EVERY_S = 0.5
_PREDICTIONS, _COVERAGE = "predictions.parquet", "coverage.json"

Print = Callable[[str], None]
OnStatus = Callable[[dict[str, Any]], None]
"""Called with each line of `coinfarm backfill status --json`, parsed."""


@dataclass(frozen=True)
class DemoOptions:
    """The size of the demo, the template to deploy, and the output folder."""

    symbols: int
    days: int
    workers: int
    template: Path
    folder: Path


def run_demo(options: DemoOptions, print_line: Print, on_status: AbstractContextManager[OnStatus]) -> DemoResult:
    """Run the demo, and write predictions, coverage and the workers' logs to `options.folder`.

    `print_line` is called with each command before it runs. Raises `CoinfarmError` if a step fails. All child processes are terminated.
    """
    options.folder.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(prefix="coinfarm-demo-") as cache,
        DemoEnvironment(options.template, options.folder) as environment,
    ):
        return _DemoRun(options, environment, Path(cache), print_line).run(on_status)


class _DemoRun:
    def __init__(self, options: DemoOptions, environment: DemoEnvironment, cache: Path, print_line: Print) -> None:
        self._options = options
        self._environment = environment
        self._cache = cache
        self._commands: list[str] = []
        self._print_line = print_line
        self._model = _reference_bundle()
        outputs = environment.outputs
        self._variables = {
            "QUEUE_URL": outputs["QueueUrl"],
            "MODELS": f"s3://{outputs['ModelBucketName']}",
            "CANDLES": f"s3://{outputs['CandleBucketName']}",
            "RESULTS": f"s3://{outputs['ResultBucketName']}",
        }

    def run(self, on_status: AbstractContextManager[OnStatus]) -> DemoResult:
        for name, value in self._environment.aws_settings.items():
            self._print_line(f"export {name}={value}")
        for name, value in self._variables.items():
            self._print_line(f"{name}={value}")
        self._prepare()
        self._run("backfill", "plan", *self._plan_options())
        workers = [self._start_worker() for _ in range(self._options.workers)]
        started = time.monotonic()
        self._run("backfill", "submit", "--run", self._root, "--queue", "$QUEUE_URL")
        samples, status = self._watch(workers, started, on_status)
        for worker in workers:
            worker.stop()
        return self._collect(status, tuple(samples), workers)

    @property
    def _root(self) -> str:
        return "$RESULTS/runs/demo"

    @property
    def _symbols(self) -> tuple[str, ...]:
        return SYMBOLS[: self._options.symbols]

    def _prepare(self) -> None:
        for seed, symbol in enumerate(self._symbols, 1):
            candles = ("--symbol", symbol, "--from", FIRST_DAY.isoformat(), "--days", str(self._options.days), "--seed", str(seed))
            self._run("history", "generate", *candles, "--store", "$CANDLES")
        self._run("model", "publish", str(self._model), "--to", "$MODELS/models/reference", "--no-compile", "--promote")

    def _plan_options(self) -> list[str]:
        stop_day = FIRST_DAY + timedelta(self._options.days)
        symbols = [word for symbol in self._symbols for word in ("--symbol", symbol)]
        roots = ["--store", "$CANDLES", "--model", "$MODELS/models/reference", "--run", self._root, "--results", "$RESULTS"]
        return [*symbols, "--from", FIRST_DAY.isoformat(), "--to", stop_day.isoformat(), *roots]

    def _start_worker(self) -> Worker:
        roots = ("--candles-root", "$CANDLES", "--results-root", "$RESULTS")
        arguments = ("--queue", "$QUEUE_URL", *roots, "--model", "$MODELS/models/reference")
        settings = {
            "MODEL_CACHE_DIR": str(self._cache),
            "RECEIVE_WAIT_S": "1",  # so that it stops soon after SIGTERM
            "HEALTH_FILE": str(self._cache / f"worker-{self._environment.worker_count + 1}.health"),
        }
        self._log_command("worker", *arguments, "&", settings=settings)
        return self._environment.start_worker(*self._expanded(arguments), **settings)

    def _watch(
        self, workers: list[Worker], started: float, on_status: AbstractContextManager[OnStatus]
    ) -> tuple[list[StatusSample], dict[str, Any]]:
        samples: list[StatusSample] = []
        status: dict[str, Any] = {}
        with on_status as show:
            for line in self._output_lines(
                "backfill", "status", "--run", self._root, "--watch", "--json", "--every-s", str(_STATUS_EVERY_S)
            ):
                status = json.loads(line)
                at_s = time.monotonic() - started
                samples.append(StatusSample(at_s, status["done"], status["framesDone"], status["waiting"], status["inFlight"]))
                show(status)
                ended = [worker for worker in workers if not worker.is_alive]
                if ended:
                    raise CoinfarmError(f"{ended[0].name} ended before the run was done:\n{ended[0].log_tail()}")
        return samples, status

    def _collect(self, status: dict[str, Any], samples: tuple[StatusSample, ...], workers: list[Worker]) -> DemoResult:
        import pyarrow.parquet as pq

        predictions = self._options.folder / _PREDICTIONS
        coverage = "".join(self._output_lines("backfill", "collect", "--run", self._root, "--output", str(predictions), "--json"))
        write_file(self._options.folder / _COVERAGE, coverage)
        return DemoResult(
            model_version=self._model.name,
            status=status,
            coverage=json.loads(coverage),
            samples=samples,
            workers=tuple(worker_statistics(worker) for worker in workers),
            commands=tuple(self._commands),
            resources=self._environment.resources,
            predictions=predictions,
            predictions_rows=pq.read_metadata(predictions).num_rows,
        )

    def _run(self, *arguments: str) -> None:
        self._log_command(*arguments)
        self._environment.run(*self._expanded(arguments))

    def _output_lines(self, *arguments: str) -> Iterator[str]:
        self._log_command(*arguments)
        return self._environment.output_lines(*self._expanded(arguments))

    def _log_command(self, *arguments: str, settings: Mapping[str, str] | None = None) -> None:
        assignments = [f"{name}={value}" for name, value in (settings or {}).items()]
        self._commands.append(" ".join((*assignments, "coinfarm", *arguments)))
        self._print_line(f"$ {self._commands[-1]}")

    def _expanded(self, arguments: tuple[str, ...]) -> list[str]:
        """`arguments` with each `$NAME` replaced by its value."""
        expanded = list(arguments)
        for name, value in self._variables.items():
            expanded = [argument.replace(f"${name}", value) for argument in expanded]
        return expanded


def _reference_bundle() -> Path:
    """The folder of the reference model's current version."""
    from coinfarm.models.model_source import current_version
    from coinfarm.models.store import open_model_source

    root = reference_model_uri()
    return Path(root, "versions", current_version(open_model_source(root)))
