"""`coinfarm backfill`, run as a person runs it, over a model that answers with a number."""

import json
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coinfarm.backfill.local_run import RunProgress
from coinfarm.backfill.shard import Shard
from coinfarm.backfill.status import Status, StatusMonitor
from coinfarm.cli import main
from coinfarm.cli.backfill import backfill
from coinfarm.storage import open_storage
from tests.support.candle_stores import stored, synthetic_history
from tests.support.fake_models import FakeEngine, promote_model

Command = Callable[..., Result]

ASKED = ["--symbol", "DEMOUSD", "--from", "2026-01-01", "--to", "2026-01-04", "--store", "store", "--run", "run"]
TOLD = ["--frames-per-s", "2000"]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `coinfarm backfill` in a folder with a candle store of two days, and a model that answers 1.5."""
    promote_model(open_storage(str(tmp_path / "models")), tmp_path / "bundle", "1.5")
    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *options: FakeEngine(bundle))
    monkeypatch.setenv("MODEL_URI", str(tmp_path / "models"))
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("QUEUE_URL", "DEAD_LETTER_QUEUE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    stored(tmp_path / "store", synthetic_history(2))
    return lambda *arguments: CliRunner().invoke(main, ["backfill", *(str(argument) for argument in arguments)])


@pytest.mark.parametrize("name", list(backfill.commands))
def test_every_command_has_help_with_an_example(name: str) -> None:
    shown = CliRunner().invoke(main, ["backfill", name, "--help"])
    assert shown.exit_code == 0
    assert f"Example: coinfarm backfill {name}" in shown.output


def test_plan_prints_the_quote_and_writes_the_manifest(command: Command) -> None:
    shown = command("plan", *ASKED, *TOLD)
    assert shown.exit_code == 0, shown.output
    assert "2,880 frames in 3 shards, DEMOUSD 1m from 2026-01-01 to 2026-01-04" in shown.stdout
    assert "1 of the shards without candles" in shown.stdout
    for way in ("this machine", "Lambda", "GPU fleet, on demand", "GPU fleet, spot"):
        assert way in shown.stdout
    assert "29*" in shown.stdout, "what is assumed is marked"
    assert "ASSUMED" in shown.stdout
    assert json.loads(Path("run/manifest.json").read_text())["symbols"] == ["DEMOUSD"]


def test_a_plan_for_days_without_candles_is_refused(command: Command) -> None:
    late = [word.replace("2026", "2027") for word in ASKED]
    shown = command("plan", *late, *TOLD)
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert "DEMOUSD 1m from 2026-01-01 to 2026-01-02" in shown.stderr
    assert not Path("run").exists()


def test_plan_measures_this_machine_where_nobody_says_how_fast_it_is(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coinfarm.backfill.plan._TIMED_S", 0.01)
    here = json.loads(command("plan", *ASKED, "--json").stdout)["quote"]["ways"][0]
    assert here["basis"].startswith("measured here with fake, ")
    assert here["framesPerS"] > 0


def test_plan_pins_the_version_that_serves(command: Command, tmp_path: Path) -> None:
    manifest = json.loads(command("plan", *ASKED, *TOLD, "--json").stdout)
    assert manifest["modelVersion"] == json.loads((tmp_path / "models/current.json").read_text())["version"]
    assert manifest["modelUri"] == str(tmp_path / "models")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(["--budget", "0.00001"], "nothing was planned: on lambda the price is $0.0001", id="Lambda"),
        pytest.param(["--on", "gpu", "--budget", "0.0001"], "nothing was planned: on gpu the price is $0.0145", id="the fleet"),
        pytest.param(["--on", "gpu", "--instance-type", "g6.xlarge", "--budget", "9"], "the price is unknown", id="unknown"),
    ],
)
def test_a_plan_over_its_budget_is_refused(command: Command, options: list[str], said: str) -> None:
    refused = command("plan", *ASKED, *TOLD, *options)
    assert refused.exit_code == 1
    assert said in refused.stderr
    assert not Path("run").exists()


def test_a_plan_within_its_budget_is_written(command: Command) -> None:
    assert command("plan", *ASKED, *TOLD, "--budget", "0.01").exit_code == 0
    assert Path("run/manifest.json").exists()


def test_results_may_go_elsewhere_than_the_manifest(command: Command, tmp_path: Path) -> None:
    manifest = json.loads(command("plan", *ASKED, *TOLD, "--results", "shared", "--json").stdout)
    assert manifest["resultsUri"] == str(tmp_path / "shared")


@pytest.mark.parametrize(
    ("tally", "exits", "said"),
    [
        pytest.param(RunProgress(shards=3, done=3, frames=2681), 0, "3 of 3 shards done; 2,681 frames", id="done"),
        pytest.param(
            RunProgress(shards=3, done=2, failed={Shard("DEMOUSD", "1m", date(2026, 1, 2)): "a damaged day"}),
            1,
            "failed: DEMOUSD 1m 2026-01-02: a damaged day",
            id="failed",
        ),
        pytest.param(RunProgress(shards=3, done=2, stopped=True), 130, "coinfarm backfill run --run run", id="stopped"),
    ],
)
def test_run_says_how_it_went(command: Command, monkeypatch: pytest.MonkeyPatch, tally: RunProgress, exits: int, said: str) -> None:
    command("plan", *ASKED, *TOLD)
    calls = []

    def run_locally(root: str, shards: list[Shard], processes: int, on_settled: Callable[[RunProgress], None]) -> RunProgress:
        calls.append((root, len(shards), processes))
        on_settled(tally)
        return tally

    monkeypatch.setattr("coinfarm.backfill.local_run.run_locally", run_locally)
    ran = command("run", "--run", "run", "--processes", 64)
    assert (ran.exit_code, calls) == (exits, [("run", 3, 3)]), ran.output
    assert said in ran.output
    document = json.loads(command("run", "--run", "run", "--json").stdout)
    assert (document["done"], document["stopped"], len(document["failed"])) == (tally.done, tally.stopped, len(tally.failed))


def test_status_without_a_queue_knows_what_is_done(command: Command) -> None:
    command("plan", *ASKED, *TOLD)
    shown = command("status", "--run", "run")
    assert (shown.exit_code, "0 of 3" in shown.stdout) == (3, True)
    assert "?" not in shown.stdout
    for absent in ("waiting", "in flight", "dead-lettered", "never sent"):
        assert absent not in shown.stdout, "a run on this machine has no queue"
    assert "coinfarm backfill run --run" in " ".join(shown.stdout.split())
    document = json.loads(command("status", "--run", "run", "--json").stdout)
    assert (document["shards"], document["done"], document["waiting"], document["complete"]) == (3, 0, None, False)


@pytest.mark.parametrize("name", ["submit", "resume", "redrive"])
def test_without_a_queue_one_is_asked_for(command: Command, name: str) -> None:
    command("plan", *ASKED, *TOLD)
    refused = command(name, "--run", "run")
    assert refused.exit_code == 1
    assert "which queue? Name it with --queue, or in QUEUE_URL" in refused.stderr


@pytest.mark.parametrize("name", ["run", "submit", "status", "resume", "redrive", "collect"])
def test_a_run_that_was_not_planned_is_one_line(command: Command, name: str) -> None:
    refused = command(name, "--run", "nowhere", *(["-o", "all.parquet"] if name == "collect" else []))
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "holds no run: plan one there with `coinfarm backfill plan --run`" in refused.stderr


def test_collect_prints_what_became_of_every_window(command: Command) -> None:
    command("plan", *ASKED, *TOLD)
    shown = command("collect", "--run", "run", "-o", "all.parquet")
    assert shown.exit_code == 3
    assert "4,320" in shown.stdout
    assert "Shards without a whole result: DEMOUSD 1m 2026-01-01" in shown.stdout
    assert Path("all.parquet").exists()


def test_collect_writes_no_other_format(command: Command) -> None:
    command("plan", *ASKED, *TOLD)
    refused = command("collect", "--run", "run", "-o", "all.csv")
    assert refused.exit_code == 2
    assert "Parquet" in refused.stderr
    assert not Path("all.csv").exists()


@pytest.fixture
def looks(command: Command, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[float]]:
    """Lets `status` see, look after look, so many done of 3 shards, waiting and in flight; returns the pauses between looks."""

    def look_at(*seen: tuple[int, int, int], unsent: int | None = 0) -> list[float]:
        command("plan", *ASKED, *TOLD)
        pauses: list[float] = []
        coming = iter(seen)

        def look(self: StatusMonitor) -> Status:
            done, waiting, in_flight = next(coming)
            return self_look(self).model_copy(update={"done": done, "waiting": waiting, "in_flight": in_flight, "unsent": unsent})

        self_look = StatusMonitor.look
        monkeypatch.setattr(StatusMonitor, "look", look)
        monkeypatch.setattr(time, "sleep", pauses.append)
        return pauses

    return look_at


def test_watch_looks_until_all_is_done_with_a_line_of_json_for_each_look(command: Command, looks: Callable[..., list[float]]) -> None:
    pauses = looks((0, 2, 1), (1, 0, 0), (2, 0, 1), (2, 0, 0), (2, 0, 0), (3, 0, 0))
    shown = command("status", "--run", "run", "--watch", "--json", "--every-s", 7)
    assert shown.exit_code == 0, "an empty queue alone ends nothing: SQS counts with some delay"
    documents = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [document["done"] for document in documents] == [0, 1, 2, 2, 2, 3]
    assert [document["complete"] for document in documents] == [False] * 5 + [True]
    assert pauses == [7] * 5


def test_watch_ends_where_nothing_is_on_its_way_any_more(command: Command, looks: Callable[..., list[float]]) -> None:
    pauses = looks((1, 2, 0), *[(1, 0, 0)] * 3)
    shown = command("status", "--run", "run", "--watch")
    assert shown.exit_code == 3
    assert len(pauses) == 3
    assert "1 of 3" in shown.stdout
    said = " ".join(shown.stdout.split())
    assert "2 shards are neither done nor in a queue; send them again with: coinfarm backfill resume --run " in said
    assert shown.stdout.count("1 of 3") == 1, "only a terminal is shown each look"


def test_a_run_that_was_never_submitted_is_told_how_to_be(command: Command, looks: Callable[..., list[float]]) -> None:
    looks((0, 0, 0), unsent=None)
    shown = " ".join(command("status", "--run", "run").stdout.split())
    assert "It was never submitted: coinfarm backfill submit --run " in shown
    assert "resume" not in shown
