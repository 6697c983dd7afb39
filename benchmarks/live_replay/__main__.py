"""`python -m benchmarks.live_replay`: a day of three coins at 60 times the speed, disturbed, and compared with a backfill."""

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np

from benchmarks.live_replay.backfill_comparison import Comparison, compare
from benchmarks.live_replay.scenario import (
    FIRST_SWAP,
    KILL,
    SECOND_SWAP,
    SYMBOLS,
    Scenario,
    publish_versions,
    store_candles,
    stored_symbol,
)
from benchmarks.live_replay.watched_process import Line, WatchedProcess
from benchmarks.reference import machine
from benchmarks.soak.process_metrics import trend
from coinfarm.candle_store.store import CandleStore
from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.models.promotion import promote
from coinfarm.storage.folder import FolderStorage
from tests.support.live_exchange import LiveExchange

_FEED = LiveFeed("binanceus", "1m")
_CATCH_UP_S = 20
MAX_LATENCY_P99_S = 1.0
MAX_MEMORY_GROWTH_SHARE = 0.05


@click.command(epilog="Example: python -m benchmarks.live_replay --minutes 60 --speed 240")
@click.option("--minutes", type=click.IntRange(min=30), default=1_440, show_default=True, help="How much of the day is replayed.")
@click.option("--speed", type=click.FloatRange(min=1), default=60.0, show_default=True, help="How many times as fast as time.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the candles and of the faults.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A JSON file for the result.")
def main(minutes: int, speed: float, seed: int, output: Path | None) -> None:
    """Replay minutes through an exchange on this machine, with disconnects, a SIGKILL and two swaps of the model.

    The exit code is 1 unless every closed candle was predicted exactly once, all are equal to a backfill to the bit, the 99th percentile of
    the time from close to output is below a second, and memory does not grow.
    """
    with TemporaryDirectory(prefix="coinfarm-replay-") as folder:
        result = replay(Scenario(minutes, speed, seed), Path(folder))
    text = json.dumps(result, indent=2)
    click.echo(text)
    if output is not None:
        output.write_text(text + "\n")
    sys.exit(0 if all(result["checks"].values()) else 1)


def replay(scenario: Scenario, folder: Path) -> dict[str, Any]:
    candles = scenario.candles()
    models, store = FolderStorage(folder / "models"), folder / "live"
    versions = publish_versions(models, folder / "scaled")
    promote(models, versions[0])
    exchange = LiveExchange(candles, scenario.start_ms, speed=scenario.speed, faults=scenario.faults(), waits=True)
    with exchange.running():

        def start(name: str) -> WatchedProcess:
            return WatchedProcess(exchange.url, store, models.uri(), scenario.speed, SYMBOLS, folder / f"{name}.log")

        def wait_until(time_ms: int) -> None:
            while exchange.now_ms() < time_ms:
                if not process.is_running:
                    raise SystemExit("".join(log.read_text() for log in folder.glob("*.log")))
                time.sleep(0.05)

        first = process = start("first")
        wait_until(scenario.time_at(FIRST_SWAP))
        promote(models, versions[1])
        wait_until(scenario.time_at(KILL))
        first.kill()
        second = process = start("second")
        wait_until(scenario.time_at(SECOND_SWAP))
        promote(models, versions[0])
        wait_until(scenario.stop_ms)
        _wait_for_the_last(second, scenario)
        exit_code = second.terminate()
        logs = "".join(log.read_text() for log in folder.glob("*.log"))
        latencies = _latencies([*first.lines, *second.lines], exchange, scenario)
    candle_store = FolderStorage(folder / "candles")
    store_candles(CandleStore(candle_store), candles)
    rows = {symbol: LiveStore(FolderStorage(store)).read(_FEED, symbols=[symbol]) for symbol in candles}
    compared = {symbol: compare(rows[symbol], candles[symbol], candle_store, models.uri(), folder / "cache2") for symbol in candles}
    return {
        "machine": machine("ccxt", "pyarrow"),
        "minutes": scenario.minutes,
        "speed": scenario.speed,
        "disconnects": len(exchange.faults.disconnects),
        "reconnects": logs.count("is connected") - 2,
        "candles": {symbol: each._asdict() for symbol, each in compared.items()},
        **_document(compared, latencies, second, exit_code, {version: _count(rows, version) for version in versions}),
    }


def _wait_for_the_last(process: WatchedProcess, scenario: Scenario) -> None:
    last_ms = scenario.stop_ms - 60_000
    deadline = time.monotonic() + _CATCH_UP_S
    while time.monotonic() < deadline:
        newest = {line.symbol: line.open_time for line in process.lines}
        if all(newest.get(stored_symbol(symbol), 0) >= last_ms for symbol in SYMBOLS):
            return
        time.sleep(0.05)


def _latencies(lines: list[Line], exchange: LiveExchange, scenario: Scenario) -> np.ndarray:
    """Seconds from the close of a candle to the arrival of its line, of candles that closed during the replay."""
    return np.array([line.arrived_s - exchange.monotonic_at(line.close_time + 1) for line in lines if line.close_time > scenario.start_ms])


def _count(rows: dict[str, Any], version: str) -> int:
    return sum(table["model_version"].to_pylist().count(version) for table in rows.values())


def _document(
    compared: dict[str, Comparison], latencies: np.ndarray, process: WatchedProcess, exit_code: int, predicted_by: dict[str, int]
) -> dict[str, Any]:
    memory = trend([each.at_s for each in process.metrics], [each.rss_mb for each in process.metrics])
    p50, p99 = np.percentile(latencies, [50, 99])
    return {
        "predictedBy": predicted_by,
        "latencyMs": {"lines": len(latencies), "p50": round(1000 * p50), "p99": round(1000 * p99), "max": round(1000 * latencies.max())},
        "memoryMb": {"mean": round(memory.mean, 1), "growth": round(memory.growth, 2)},
        "threads": process.metrics[-1].threads,
        "checks": {
            "every candle once, equal to a backfill": all(each.is_equal for each in compared.values()),
            "both versions served": all(predicted_by.values()),
            "p99 below a second": bool(p99 < MAX_LATENCY_P99_S),
            "memory is flat": abs(memory.growth_share) < MAX_MEMORY_GROWTH_SHARE,
            "ends with 0 after SIGTERM": exit_code == 0,
        },
    }


if __name__ == "__main__":
    main()
