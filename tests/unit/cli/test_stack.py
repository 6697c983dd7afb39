"""`coinfarm --stack NAME …`: what each command takes from the stack, and `coinfarm stack`."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from coinfarm.aws.cloudformation import Stack
from coinfarm.aws.lambda_function import LambdaFunction
from coinfarm.cli import main
from coinfarm.cli.stack import _defaults
from coinfarm.storage import open_storage
from tests.support.candle_stores import stored, synthetic_history
from tests.support.deployed_stack import FLEET, OUTPUTS, PARAMETERS, description
from tests.support.fake_models import FakeEngine, promote_model

Run = Callable[..., Result]

CANDLES, RESULTS, MODEL, QUEUE = "s3://candles", "s3://results", "s3://models/models/btc", OUTPUTS["QueueUrl"]
ASKED = ["--symbol", "DEMOUSD", "--from", "2026-01-01", "--to", "2026-01-04"]


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Deploys a stack as `description` has it, whatever its name; returns the names that were asked about."""

    def deploy(**told: Any) -> list[str]:
        asked: list[str] = []

        def found(self: Stack) -> dict[str, Any]:
            asked.append(self.name)
            return description(**told)

        monkeypatch.setattr(Stack, "_description", property(found))
        return asked

    return deploy


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `coinfarm --stack farm` where `s3://BUCKET/…` lies in the folder `BUCKET`, with a model that answers 1.5."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("coinfarm.serving.service.load_engine", lambda bundle, *options: FakeEngine(bundle))
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("candles_uri", "results_uri", "model_uri"):
        uri = getattr(Stack, name).fget
        monkeypatch.setattr(Stack, name, property(lambda self, uri=uri: (found := uri(self)) and found.replace("s3:/", str(tmp_path))))
    return lambda *arguments: CliRunner().invoke(main, ["--stack", "farm", *(str(argument) for argument in arguments)])


def commands_with_defaults(group: click.Command, defaults: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[Any]:
    for name, below in defaults.items():
        if isinstance(group, click.Group) and name in group.commands:
            yield from commands_with_defaults(group.commands[name], below, (*path, name))
        else:
            yield pytest.param(group, name, id=" ".join((*path, name)))


@pytest.mark.parametrize(("command", "parameter"), list(commands_with_defaults(main, _defaults(lambda: Stack("farm")))))
def test_each_default_is_that_of_a_parameter(command: click.Command, parameter: str) -> None:
    assert parameter in {each.name for each in command.params}


def taken(*arguments: str, stack: str | None = "farm") -> dict[str, Any]:
    """What the named command would be called with."""
    called: dict[str, Any] = {}
    words = [*(["--stack", stack] if stack else []), *arguments]
    command: click.Command = main
    for word in arguments:
        if not isinstance(command, click.Group):
            break
        command = command.commands[word]
    before, command.callback = command.callback, lambda **values: called.update(values)
    try:
        ran = CliRunner().invoke(main, words)
    finally:
        command.callback = before
    assert ran.exit_code == 0, ran.output
    return called


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["predict", __file__], {"model_uri": MODEL}, id="predict"),
        pytest.param(["serve"], {"model_uri": MODEL}, id="serve"),
        pytest.param(
            ["evaluate", "--candles", __file__, "--from", "2026-01-01", "--to", "2026-01-02"], {"model_uri": MODEL}, id="evaluate"
        ),
        pytest.param(["backtest"], {"predictions": f"{RESULTS}/predictions", "candles": CANDLES, "model_uri": MODEL}, id="backtest"),
        pytest.param(["history", "check"], {"root": CANDLES}, id="history check"),
        pytest.param(["model", "list"], {"root": MODEL}, id="model list"),
        pytest.param(["model", "show", "20260101-0a1b2c3d"], {"root": MODEL, "version": "20260101-0a1b2c3d"}, id="model show"),
        pytest.param(["model", "show", "folder", "20260101-0a1b2c3d"], {"root": "folder"}, id="model show of a folder"),
        pytest.param(["model", "publish", __file__], {"root": MODEL}, id="model publish"),
        pytest.param(
            ["backfill", "plan", *ASKED, "--run", "two-years"],
            {
                "store": CANDLES,
                "results": RESULTS,
                "root": f"{RESULTS}/runs/two-years",
                "model_uri": MODEL,
                "lambda_functions": 7,
                "lambda_memory_mb": 2048,
                "instances": 30,
            },
            id="backfill plan",
        ),
        pytest.param(["backfill", "status", "--run", "./two-years"], {"root": "./two-years"}, id="a run in a folder"),
        pytest.param(["backfill", "status", "--run", "s3://others/run"], {"root": "s3://others/run"}, id="a run elsewhere"),
        pytest.param(
            ["backfill", "plan", *ASKED, "--run", "x", "--store", "mine", "--results", "here", "--model", "m", "--instances", "2"],
            {"store": "mine", "results": "here", "model_uri": "m", "instances": 2},
            id="options win",
        ),
    ],
)
def test_what_is_not_said_is_taken_from_the_stack(deployed: Any, arguments: list[str], expected: dict[str, Any]) -> None:
    deployed()
    found = taken(*arguments)
    assert {name: found[name] for name in expected} == expected


def test_the_stack_wins_over_the_environment(deployed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed()
    monkeypatch.setattr("handler.worker.main", lambda: 0)
    for name in ("QUEUE_URL", "MODEL_URI", "CANDLES_ROOT", "RESULTS_ROOT"):
        monkeypatch.setenv(name, "of some other farm")
    assert CliRunner().invoke(main, ["--stack", "farm", "worker"]).exit_code == 0
    found = {name: os.environ[name] for name in ("QUEUE_URL", "MODEL_URI", "CANDLES_ROOT", "RESULTS_ROOT")}
    assert found == {"QUEUE_URL": QUEUE, "MODEL_URI": MODEL, "CANDLES_ROOT": CANDLES, "RESULTS_ROOT": RESULTS}


def test_a_worker_may_work_for_the_fleet(deployed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed(outputs=OUTPUTS | FLEET)
    monkeypatch.setattr("handler.worker.main", lambda: 0)
    assert CliRunner().invoke(main, ["--stack", "farm", "worker", "--on", "gpu"]).exit_code == 0
    assert os.environ["QUEUE_URL"] == FLEET["FleetQueueUrl"]


def test_without_a_stack_a_worker_cannot_choose_its_queue() -> None:
    refused = CliRunner().invoke(main, ["worker", "--on", "gpu"])
    assert (refused.exit_code, "name it, as in coinfarm --stack NAME worker" in refused.stderr) == (2, True)


def test_a_stack_that_serves_the_reference_model_leaves_the_model_open(deployed: Any) -> None:
    deployed(parameters=PARAMETERS | {"ModelName": ""})
    assert taken("predict", __file__)["model_uri"] is None


@pytest.mark.parametrize(
    "arguments", [["--help"], ["backfill", "plan", "--help"], ["model", "list", "--help"], ["--version"]], ids=" ".join
)
def test_help_asks_nobody(deployed: Any, arguments: list[str]) -> None:
    asked = deployed()
    assert CliRunner().invoke(main, ["--stack", "farm", *arguments]).exit_code == 0
    assert asked == []


def test_who_is_told_everything_asks_nobody(deployed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = deployed()
    monkeypatch.setenv("COINFARM_STACK", "farm")
    stored(tmp_path / "store", synthetic_history(2))
    assert CliRunner().invoke(main, ["history", "check", "--store", str(tmp_path / "store"), "--json"]).exit_code == 0
    assert asked == []


def test_the_stack_may_be_named_by_the_environment(deployed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = deployed()
    monkeypatch.setenv("COINFARM_STACK", "production")
    assert taken("history", "check", stack=None)["root"] == CANDLES
    assert set(asked) == {"production"}


def test_a_run_that_lambda_cannot_reach_is_not_submitted(deployed: Any, run: Run, tmp_path: Path) -> None:
    deployed()
    promote_model(open_storage(str(tmp_path / "models/models/btc")), tmp_path / "bundle", "1.5")
    stored(tmp_path / "mine", synthetic_history(2))
    planned = run("backfill", "plan", *ASKED, "--store", "mine", "--run", "x", "--frames-per-s", 2000)
    assert planned.exit_code == 0, planned.output
    refused = run("backfill", "submit", "--run", "x")
    assert refused.exit_code == 1
    assert f"{tmp_path}/mine" in refused.stderr
    assert "coinfarm --stack farm" in refused.stderr


def test_a_run_for_a_fleet_that_is_not_there_is_not_submitted(deployed: Any, run: Run, tmp_path: Path) -> None:
    deployed()
    promote_model(open_storage(str(tmp_path / "models/models/btc")), tmp_path / "bundle", "1.5")
    stored(tmp_path / "candles", synthetic_history(2))
    assert run("backfill", "plan", *ASKED, "--run", "x", "--frames-per-s", 2000, "--on", "gpu").exit_code == 0
    refused = run("backfill", "submit", "--run", "x")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "stack farm has no GPU fleet" in refused.stderr


def test_the_stack_is_shown(deployed: Any, run: Run, tmp_path: Path) -> None:
    deployed(outputs=OUTPUTS | {"DashboardUrl": "https://console.aws.amazon.com/cloudwatch"})
    version = promote_model(open_storage(str(tmp_path / "models/models/btc")), tmp_path / "bundle", "1.5")
    shown = dict(line.split(maxsplit=1) for line in run("stack").stdout.splitlines())
    assert shown["stack"] == "farm in eu-west-1: UPDATE_COMPLETE"
    assert shown["serves"] == version
    assert shown["DashboardUrl"] == "https://console.aws.amazon.com/cloudwatch"
    document = json.loads(run("stack", "--json").stdout)
    assert (document["name"], document["region"], document["status"], document["serves"]) == (
        "farm",
        "eu-west-1",
        "UPDATE_COMPLETE",
        version,
    )
    assert document["candles"] == str(tmp_path / "candles")
    assert document["outputs"]["QueueUrl"] == QUEUE
    assert run("stack", "--get", "QueueUrl").stdout == f"{QUEUE}\n"
    assert run("stack", "--get", "candles").stdout == f"{tmp_path / 'candles'}\n"
    unknown = run("stack", "--get", "Queue")
    assert unknown.exit_code == 1
    assert "QueueUrl" in unknown.stderr


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        pytest.param(PARAMETERS, "no model yet: coinfarm --stack farm model publish BUNDLE --promote", id="nothing promoted"),
        pytest.param({}, "the reference model inside its image", id="the reference model"),
    ],
)
def test_a_stack_without_a_model_of_its_own_says_what_serves(deployed: Any, run: Run, parameters: dict[str, str], says: str) -> None:
    deployed(parameters=parameters)
    assert says in run("stack").stdout


def test_without_a_stack_there_is_nothing_to_show() -> None:
    refused = CliRunner().invoke(main, ["stack"])
    assert refused.exit_code == 2
    assert "Name it before the command, as in coinfarm --stack NAME stack, or in COINFARM_STACK" in refused.stderr


def test_a_stack_that_could_not_be_made_is_one_line(deployed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def describe(**_: str) -> dict[str, Any]:
        return {"Stacks": [description(status="ROLLBACK_COMPLETE")]}

    monkeypatch.setattr(Stack, "_client", type("Client", (), {"describe_stacks": staticmethod(describe)})())
    refused = CliRunner().invoke(main, ["--stack", "farm", "model", "list"])
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "ROLLBACK_COMPLETE" in refused.stderr


@pytest.fixture
def event(tmp_path: Path) -> Path:
    path = tmp_path / "event.json"
    path.write_text('{"warmup": true}')
    return path


@pytest.mark.parametrize(("answer", "exits"), [({"warm": True}, 0), ({"statusCode": 404}, 1)], ids=["an answer", "a refusal"])
def test_invoke_calls_the_stacks_own_function(
    deployed: Any, run: Run, event: Path, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any], exits: int
) -> None:
    deployed()
    called = []

    def answers(self: LambdaFunction, sent: Any) -> Any:
        called.append((self._arn, sent))
        return answer

    monkeypatch.setattr(LambdaFunction, "invoke", answers)
    shown = run("invoke", event)
    assert (shown.exit_code, json.loads(shown.stdout)) == (exits, answer)
    assert called == [(OUTPUTS["ApiFunctionAlias"], {"warmup": True})]


@pytest.mark.parametrize(
    ("document", "options", "exits", "said"),
    [
        pytest.param({"Records": []}, [], 1, "receives messages through its queue", id="an event of the queue"),
        pytest.param({}, ["--results-root", "results"], 2, "leave out --candles-root and --results-root", id="a root"),
    ],
)
def test_invoke_refuses_what_is_not_for_the_stacks_function(
    deployed: Any, run: Run, event: Path, document: dict[str, Any], options: list[str], exits: int, said: str
) -> None:
    deployed()
    event.write_text(json.dumps(document))
    refused = run("invoke", event, *options)
    assert (refused.exit_code, said in refused.stderr) == (exits, True)
