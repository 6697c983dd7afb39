"""A run on this machine, with real processes and a small compiled model."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

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
WINDOWS = 96
"""Of a day of quarters of an hour."""


LONG = 30
"""Days: more than the processes have in work at once."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The root and the version of a model that means the channels."""
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


def files(run: Run) -> dict[str, bytes]:
    return {key: run.results.read(key).data for key in run.results.list("predictions")}


def test_processes_share_the_shards_and_leave_what_one_would(run: Run, tmp_path: Path, model: tuple[str, str]) -> None:
    told: set[int] = set()
    tally = run_locally(run.storage.uri(), list(run.manifest.shards()), 2, lambda tally: told.add(tally.done))
    assert (tally.done, tally.failed, tally.stopped) == (DAYS, {}, False)
    assert tally.frames == DAYS * WINDOWS - 199 - 149
    assert told >= set(range(1, DAYS + 1))
    assert tally.frames_in_progress == 0
    alone = planned(tmp_path / "alone", run.candles, interval="15m", days=DAYS, model_uri=model[0], version=model[1])
    run_locally(alone.storage.uri(), list(alone.manifest.shards()), 1, lambda tally: None)
    assert files(run) == files(alone)


def test_what_is_done_is_not_done_again(run: Run) -> None:
    shards = list(run.manifest.shards())
    run_locally(run.storage.uri(), shards[:4], 1, lambda tally: None)
    tally = run_locally(run.storage.uri(), shards, 1, lambda tally: None)
    assert (tally.done, tally.frames) == (DAYS, (DAYS - 4) * WINDOWS - 149)


def test_a_shard_that_fails_is_told_of_and_fails_no_other(run: Run) -> None:
    run.candles.write("candles/symbol=DEMOUSD/interval=15m/date=2026-01-06.parquet", b"no Parquet")
    tally = run_locally(run.storage.uri(), list(run.manifest.shards()), 2, lambda tally: None)
    assert (tally.done, [str(shard) for shard in tally.failed]) == (DAYS - 1, ["DEMOUSD 15m 2026-01-06"])
    assert "is not a Parquet file" in next(iter(tally.failed.values()))


def test_a_model_that_is_not_there_is_an_error_for_people(run: Run, tmp_path: Path) -> None:
    gone = planned(tmp_path / "gone", run.candles, interval="15m", days=DAYS, model_uri=str(tmp_path / "nowhere"))
    with pytest.raises(CoinfarmError, match="nowhere"):
        run_locally(gone.storage.uri(), list(gone.manifest.shards()), 1, lambda tally: None)


def test_another_process_does_what_a_killed_one_had_in_work(run: Run) -> None:
    children = Path(f"/proc/self/task/{os.getpid()}/children")

    killed: list[int] = []

    def kill_one(tally: RunProgress) -> None:
        if tally.done == 1 and not killed:
            killed.append(1)
            os.kill(int(children.read_text().split()[-1]), signal.SIGKILL)

    tally = run_locally(run.storage.uri(), list(run.manifest.shards()), 2, kill_one)
    assert tally.done == DAYS


@pytest.fixture
def long_run(tmp_path: Path, model: tuple[str, str]) -> Run:
    candles = stored(tmp_path / "store", synthetic_history(LONG, interval="15m"))
    return planned(tmp_path / "run", candles, interval="15m", days=LONG, model_uri=model[0], version=model[1])


def started(run: Run) -> "subprocess.Popen[str]":
    """The command, as soon as the first result is there."""
    command = "import sys; from coinfarm.cli import main; main(sys.argv[1:])"
    arguments = [sys.executable, "-c", command, "backfill", "run", "--processes", "2", "--run", run.storage.uri()]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not files(run):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    return process


def lives(process_id: str) -> bool:
    """Whether there is such a process; one that has ended, and of which nobody has asked how, does not live."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("after_s", [0.2, 0.6, 1.0])
def test_ctrl_c_while_it_starts_is_one_line(long_run: Run, after_s: float) -> None:
    command = "import sys; from coinfarm.cli import main; print('ready', flush=True); main(sys.argv[1:])"
    arguments = [sys.executable, "-c", command, "backfill", "run", "--processes", "2", "--run", long_run.storage.uri()]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(after_s)
    os.killpg(process.pid, signal.SIGINT)  # to the processes that it has started too, as a terminal does
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert said.count("\n") == 1


def test_after_ctrl_c_it_ends_tidily_and_goes_on_when_run_again(long_run: Run) -> None:
    process = started(long_run)
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate(timeout=60)
    assert process.returncode == 130, complaints
    assert complaints.splitlines()[-1].startswith("Stopped.")
    assert "coinfarm backfill run --run" in complaints
    assert "Traceback" not in complaints
    done = len(files(long_run))
    assert 0 < done < LONG
    tally = run_locally(long_run.storage.uri(), list(long_run.manifest.shards()), 2, lambda tally: None)
    assert tally.done == LONG
    assert tally.frames <= (LONG - done) * WINDOWS


def test_after_a_kill_the_processes_end_and_nothing_is_there_by_half(long_run: Run, tmp_path: Path) -> None:
    process = started(long_run)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.kill()
    process.communicate()
    until = time.monotonic() + 60
    while any(lives(child) for child in children):
        assert time.monotonic() < until, "the processes outlive the one that leads them"
        time.sleep(0.05)
    assert 0 < len(files(long_run)) < LONG
    partial = collect(long_run, tmp_path / "partial.parquet")
    assert len(partial.missing) == LONG - len(files(long_run)), "what is there is whole"
    run_locally(long_run.storage.uri(), list(long_run.manifest.shards()), 2, lambda tally: None)
    assert collect(long_run, tmp_path / "all.parquet").missing == []
