"""Local runs, with real processes and a small compiled model."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coinfarm.backfill.collect import collect
from coinfarm.backfill.local_run import RunProgress, run_locally
from coinfarm.backfill.run_manifest import Run
from coinfarm.compilation.forms import F32
from coinfarm.errors import CoinfarmError
from coinfarm.models.promotion import promote
from coinfarm.models.publish import publish
from coinfarm.storage import open_storage
from tests.support.backfill_runs import planned
from tests.support.candle_stores import stored, synthetic_history
from tests.support.compiled_models import compiled_bundle

DAYS = 6
WINDOWS_PER_DAY = 96
"""Of candles of 15 minutes."""
MANY_DAYS = 30


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The root and the version of a model that averages the channels."""
    folder = tmp_path_factory.mktemp("model")
    root = open_storage(str(folder / "models"))
    version = publish(root, compiled_bundle(folder / "bundle", F32))
    promote(root, version)
    return root.uri(), version


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def run(tmp_path: Path, model: tuple[str, str]) -> Run:
    candles = stored(tmp_path / "store", synthetic_history(DAYS, interval="15m", missing=range(300, 450)))
    return planned(tmp_path / "run", candles, interval="15m", days=DAYS, model_uri=model[0], version=model[1])


def continue_run(run: Run, processes: int, on_progress: Callable[[RunProgress], None] = lambda _: None) -> RunProgress:
    return run_locally(run.storage.uri(), list(run.manifest.shards()), processes, on_progress)


def files(run: Run) -> dict[str, bytes]:
    return {key: run.results.read(key).data for key in run.results.list("predictions")}


def test_two_processes_give_the_results_of_one_and_report_failed_shards(run: Run, tmp_path: Path, model: tuple[str, str]) -> None:
    run.candles.write("candles/symbol=DEMOUSD/interval=15m/date=2026-01-06.parquet", b"not Parquet")
    done: set[int] = set()
    progress = continue_run(run, 2, lambda progress: done.add(progress.done))
    assert (progress.done, [str(shard) for shard in progress.failed], progress.stopped) == (DAYS - 1, ["DEMOUSD 15m 2026-01-06"], False)
    assert "date=2026-01-06.parquet" in next(iter(progress.failed.values()))
    assert (progress.frames, progress.frames_in_progress) == (collect(run, tmp_path / "all.parquet").total.predicted, 0)
    assert done >= set(range(1, DAYS))
    alone = planned(tmp_path / "alone", run.candles, interval="15m", days=DAYS, model_uri=model[0], version=model[1])
    continue_run(alone, 1)
    assert files(run) == files(alone)


def test_missing_model_is_an_error(run: Run, tmp_path: Path) -> None:
    gone = planned(tmp_path / "gone", run.candles, interval="15m", days=DAYS, model_uri=str(tmp_path / "nowhere"))
    with pytest.raises(CoinfarmError, match="nowhere"):
        continue_run(gone, 1)


def test_shards_of_a_killed_process_are_processed_by_another(run: Run) -> None:
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    killed: list[int] = []

    def kill_one(progress: RunProgress) -> None:
        if progress.done == 1 and not killed:
            killed.append(1)
            os.kill(int(children.read_text().split()[-1]), signal.SIGKILL)

    assert continue_run(run, 2, kill_one).done == DAYS


@pytest.fixture
def long_run(tmp_path: Path, model: tuple[str, str]) -> Run:
    candles = stored(tmp_path / "store", synthetic_history(MANY_DAYS, interval="15m"))
    return planned(tmp_path / "run", candles, interval="15m", days=MANY_DAYS, model_uri=model[0], version=model[1])


def started(run: Run, condition: Callable[["subprocess.Popen[str]"], Any]) -> "subprocess.Popen[str]":
    """The command in a session of its own, once the condition holds."""
    command = "import sys; from coinfarm.cli import main; main(sys.argv[1:])"
    arguments = [sys.executable, "-c", command, "backfill", "run", "--processes", "2", "--run", run.storage.uri()]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not condition(process):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    return process


def children_of(process: "subprocess.Popen[str]") -> list[str]:
    return Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()


def is_alive(process_id: str) -> bool:
    """Whether the process exists and is not a zombie."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_ctrl_c_during_the_start_is_one_line(long_run: Run) -> None:
    process = started(long_run, lambda process: len(children_of(process)) >= 2)
    os.killpg(process.pid, signal.SIGINT)  # like a terminal, also to the child processes
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert errors.count("\n") == 1


def test_ctrl_c_finishes_the_shards_in_progress(long_run: Run) -> None:
    process = started(long_run, lambda _: files(long_run))
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert long_run.storage.uri() in errors
    assert "Traceback" not in errors
    assert 0 < len(files(long_run)) < MANY_DAYS


def test_children_end_after_a_kill_and_the_run_continues_after_the_complete_files(long_run: Run, tmp_path: Path) -> None:
    process = started(long_run, lambda _: files(long_run))
    children = children_of(process)
    process.kill()
    process.communicate()
    until = time.monotonic() + 60
    while any(is_alive(child) for child in children):
        assert time.monotonic() < until, "the children outlive their parent"
        time.sleep(0.05)
    partial = collect(long_run, tmp_path / "partial.parquet")
    done = len(files(long_run))
    assert len(partial.missing) == MANY_DAYS - done > 0, "every file is complete"
    progress = continue_run(long_run, 2)
    assert progress.done == MANY_DAYS
    assert progress.frames <= (MANY_DAYS - done) * WINDOWS_PER_DAY
