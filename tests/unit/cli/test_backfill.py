"""`coinfarm backfill` without a queue, over two days of candles and a model that predicts a constant."""

import json
import time
from pathlib import Path

import pytest

from coinfarm.backfill.local_run import RunProgress
from coinfarm.backfill.shard import Shard
from coinfarm.backfill.status import StatusMonitor
from coinfarm.storage import open_storage
from tests.support.candle_stores import FIRST_DAY, stored, synthetic_history
from tests.support.cli_runner import coinfarm, unwrapped
from tests.support.fake_models import TRAINING, promote_model

PERIOD = ["--symbol", "DEMOUSD", "--from", "2026-01-01", "--to", "2026-01-04"]


@pytest.fixture
def backfill(constant_model, tmp_path, monkeypatch):
    """Runs `coinfarm backfill ARGUMENTS` in a folder with a candle store of two days."""
    for name in ("QUEUE_URL", "DEAD_LETTER_QUEUE_URL"):
        monkeypatch.delenv(name, raising=False)
    stored(tmp_path / "store", synthetic_history(2))
    return lambda *arguments: coinfarm("backfill", *arguments)


@pytest.fixture
def plan(backfill):
    """Plans three days, of which two have candles, in the folder `run`; later options replace earlier ones."""
    return lambda *options: backfill("plan", *PERIOD, "--store", "store", "--run", "run", "--frames-per-s", 2000, *options)


@pytest.fixture
def planned(plan):
    """A planned run in the folder `run`."""
    assert plan().exit_code == 0


def test_plan_prints_the_estimate_and_writes_the_manifest(plan, constant_model):
    shown = plan("--budget", "0.01", "--results", "shared")
    assert shown.exit_code == 0, shown.output
    assert "2,880 windows in 3 shards, DEMOUSD 1m from 2026-01-01 up to 2026-01-04" in shown.stdout
    assert "29*" in shown.stdout, "an assumed speed is marked"
    manifest = json.loads(Path("run/manifest.json").read_text())
    assert manifest["symbols"] == ["DEMOUSD"]
    assert manifest["modelVersion"] == json.loads((constant_model / "current.json").read_text())["version"]
    assert (manifest["modelUri"], manifest["resultsUri"]) == (str(constant_model), str(Path("shared").absolute()))


@pytest.mark.parametrize("options", [["--frames-per-s", 2000], []], ids=["without loading the model", "measured"])
def test_plans_candles_of_another_interval_than_the_models_only_if_asked_to(backfill, tmp_path, monkeypatch, options):
    monkeypatch.setattr("coinfarm.backfill.plan._TIMED_S", 0.01)
    promote_model(open_storage(str(tmp_path / "trained")), tmp_path / "other", "1.5", training=TRAINING)
    stored(tmp_path / "store", synthetic_history(20, interval="1h"))
    arguments = ["plan", *PERIOD, "--interval", "1h", "--store", "store", "--run", "hours", "--model", str(tmp_path / "trained"), *options]
    rejected = backfill(*arguments)
    assert (rejected.exit_code, Path("hours").exists(), "--any-interval" in rejected.stderr) == (1, False, True)
    assert backfill(*arguments, "--any-interval").exit_code == 0
    assert Path("hours/manifest.json").is_file()


def test_measures_the_speed_of_this_machine(backfill, monkeypatch):
    monkeypatch.setattr("coinfarm.backfill.plan._TIMED_S", 0.01)
    here = json.loads(backfill("plan", *PERIOD, "--store", "store", "--run", "run", "--json").stdout)["quote"]["ways"][0]
    assert "fake" in here["basis"]
    assert here["framesPerS"] > 0


@pytest.mark.parametrize(
    ("options", "named"),
    [
        pytest.param(["--from", "2027-01-01", "--to", "2027-01-04"], "from 2026-01-01 to 2026-01-02", id="days without candles"),
        pytest.param(["--budget", "0.00001"], "$0.0001", id="budget for Lambda"),
        pytest.param(["--on", "gpu", "--budget", "0.0001"], "$0.0145", id="budget for the GPU fleet"),
        pytest.param(["--on", "gpu", "--instance-type", "g6.xlarge", "--budget", "9"], "unknown", id="unknown price"),
    ],
)
def test_rejected_plan_is_not_written(plan, options, named):
    rejected = plan(*options)
    assert (rejected.exit_code, named in rejected.stderr) == (1, True)
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("progress", "exit_code", "text"),
    [
        pytest.param(RunProgress(3, done=3, frames=2681), 0, "3 of 3 shards done; 2,681 windows predicted", id="done"),
        pytest.param(RunProgress(3, done=2, failed={Shard("DEMO", "1m", FIRST_DAY): "damaged"}), 1, "DEMO 1m 2026-01-01", id="failed"),
        pytest.param(RunProgress(3, done=2, stopped=True), 130, "stored in run", id="stopped"),
    ],
)
@pytest.mark.usefixtures("planned")
def test_run_prints_a_summary(backfill, monkeypatch, progress, exit_code, text):
    calls = []

    def run_locally(root, shards, processes, on_progress):
        calls.append((root, len(shards), processes))
        on_progress(progress)
        return progress

    monkeypatch.setattr("coinfarm.backfill.local_run.run_locally", run_locally)
    ran = backfill("run", "--run", "run", "--processes", 64)
    assert (ran.exit_code, calls) == (exit_code, [("run", 3, 3)]), ran.output
    assert text in ran.output
    document = json.loads(backfill("run", "--run", "run", "--json").stdout)
    assert (document["done"], document["stopped"], len(document["failed"])) == (progress.done, progress.stopped, len(progress.failed))


@pytest.mark.usefixtures("planned")
def test_status_without_a_queue(backfill):
    shown = backfill("status", "--run", "run")
    assert (shown.exit_code, "0 of 3" in shown.stdout) == (3, True)
    assert "waiting" not in shown.stdout, "a run on this machine has no queue"
    assert "coinfarm backfill run --run" in unwrapped(shown.stdout)
    document = json.loads(backfill("status", "--run", "run", "--json").stdout)
    assert (document["shards"], document["done"], document["waiting"], document["complete"]) == (3, 0, None, False)


@pytest.fixture
def polls(planned, monkeypatch):
    """Sets the counts (done, waiting, in flight, not sent) that `status` finds in each poll; returns the pauses between polls."""

    def set_polls(*counts):
        pauses, original = [], StatusMonitor.status
        fields = ("done", "waiting", "in_flight", "unsent")
        updates = (dict(zip(fields, each, strict=True)) for each in counts)
        monkeypatch.setattr(StatusMonitor, "status", lambda self: original(self).model_copy(update=next(updates)))
        monkeypatch.setattr(time, "sleep", pauses.append)
        return pauses

    return set_polls


def test_watch_prints_a_json_line_per_poll_until_all_shards_are_done(backfill, polls):
    pauses = polls((0, 2, 1, 0), (1, 0, 0, 0), (2, 0, 1, 0), (2, 0, 0, 0), (2, 0, 0, 0), (3, 0, 0, 0))
    shown = backfill("status", "--run", "run", "--watch", "--json", "--every-s", 7)
    assert shown.exit_code == 0, "one poll of an empty queue is not enough: SQS counts lag"
    documents = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [document["done"] for document in documents] == [0, 1, 2, 2, 2, 3]
    assert [document["complete"] for document in documents] == [False] * 5 + [True]
    assert pauses == [7] * 5


def test_watch_ends_when_the_queue_stays_empty(backfill, polls):
    pauses = polls((1, 2, 0, 0), *[(1, 0, 0, 0)] * 3)
    shown = backfill("status", "--run", "run", "--watch")
    assert shown.exit_code == 3
    assert len(pauses) == 3
    assert shown.stdout.count("1 of 3") == 1, "only a terminal shows every poll"
    assert "coinfarm backfill resume --run " in unwrapped(shown.stdout)


def test_run_that_was_never_submitted(backfill, polls):
    polls((0, 0, 0, None))
    shown = unwrapped(backfill("status", "--run", "run").stdout)
    assert "coinfarm backfill submit --run " in shown
    assert "resume" not in shown


@pytest.mark.usefixtures("planned")
def test_collect_prints_the_outcome_of_every_window(backfill):
    shown = backfill("collect", "--run", "run", "-o", "all.parquet")
    assert shown.exit_code == 3
    assert "4,320" in shown.stdout
    assert "DEMOUSD 1m 2026-01-01" in shown.stdout
    assert Path("all.parquet").exists()
    rejected = backfill("collect", "--run", "run", "-o", "all.csv")
    assert rejected.exit_code == 2
    assert "Parquet" in rejected.stderr
    assert not Path("all.csv").exists()


@pytest.mark.parametrize("name", ["submit", "resume", "redrive"])
@pytest.mark.usefixtures("planned")
def test_requires_a_queue(backfill, name):
    rejected = backfill(name, "--run", "run")
    assert (rejected.exit_code, "--queue" in rejected.stderr) == (1, True)


@pytest.mark.parametrize("name", ["run", "submit", "status", "resume", "redrive", "collect"])
def test_missing_run_is_one_line(backfill, name):
    rejected = backfill(name, "--run", "nowhere", *(["-o", "all.parquet"] if name == "collect" else []))
    assert (rejected.exit_code, rejected.stderr.count("\n")) == (1, 1)
    assert "coinfarm backfill plan" in rejected.stderr


@pytest.mark.parametrize(
    ("candles", "options", "named"),
    [
        pytest.param("mine", [], "mine", id="candles that Lambda cannot read"),
        pytest.param("candles", ["--on", "gpu"], "fleet", id="no fleet"),
    ],
)
@pytest.mark.usefixtures("stack_model")
def test_run_that_the_stack_cannot_process_is_not_submitted(deployed, on_stack, tmp_path, candles, options, named):
    deployed()
    stored(tmp_path / candles, synthetic_history(2))
    planned = on_stack("backfill", "plan", *PERIOD, "--store", tmp_path / candles, "--run", "x", "--frames-per-s", 2000, *options)
    assert planned.exit_code == 0, planned.output
    rejected = on_stack("backfill", "submit", "--run", "x")
    assert (rejected.exit_code, rejected.stderr.count("\n")) == (1, 1)
    assert "stack farm" in rejected.stderr
    assert named in rejected.stderr
