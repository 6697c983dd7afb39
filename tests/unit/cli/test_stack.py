"""`coinfarm --stack NAME …`: the defaults of each command, and `coinfarm stack`."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from coinfarm.aws.cloudformation import Stack
from coinfarm.cli import main
from coinfarm.cli.stack import _defaults
from tests.support.candle_stores import stored, synthetic_history
from tests.support.cli_runner import coinfarm
from tests.support.deployed_stack import OUTPUTS, PARAMETERS, description

Run = Callable[..., Result]

CANDLES, RESULTS, MODEL = "s3://candles", "s3://results", "s3://models/models/btc"
PERIOD = ["--symbol", "DEMOUSD", "--from", "2026-01-01", "--to", "2026-01-04"]


def parameters_with_defaults(group: click.Command, defaults: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[Any]:
    for name, below in defaults.items():
        if isinstance(group, click.Group) and name in group.commands:
            yield from parameters_with_defaults(group.commands[name], below, (*path, name))
        else:
            yield pytest.param(group, name, id=" ".join((*path, name)))


@pytest.mark.parametrize(("command", "parameter"), list(parameters_with_defaults(main, _defaults(lambda: Stack("farm")))))
def test_every_default_belongs_to_a_parameter(command: click.Command, parameter: str) -> None:
    assert parameter in {each.name for each in command.params}


def parameters(*arguments: str, stack: str | None = "farm") -> dict[str, Any]:
    """The parameters that the command would be called with."""
    called: dict[str, Any] = {}
    command: click.Command = main
    for word in arguments:
        if not isinstance(command, click.Group):
            break
        command = command.commands[word]
    callback, command.callback = command.callback, lambda **values: called.update(values)
    try:
        ran = CliRunner().invoke(main, [*(["--stack", stack] if stack else []), *arguments])
    finally:
        command.callback = callback
    assert ran.exit_code == 0, ran.output
    return called


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["predict", __file__], {"model_uri": MODEL}, id="predict"),
        pytest.param(["backtest"], {"predictions": f"{RESULTS}/predictions", "candles": CANDLES, "model_uri": MODEL}, id="backtest"),
        pytest.param(["history", "check"], {"root": CANDLES}, id="history check"),
        pytest.param(["model", "show", "20260101-0a1b2c3d"], {"root": MODEL, "version": "20260101-0a1b2c3d"}, id="model show"),
        pytest.param(["model", "show", "folder", "20260101-0a1b2c3d"], {"root": "folder"}, id="model show of a folder"),
        pytest.param(
            ["backfill", "plan", *PERIOD, "--run", "two-years"],
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
        pytest.param(["backfill", "status", "--run", "./two-years"], {"root": "./two-years"}, id="run in a folder"),
        pytest.param(["backfill", "status", "--run", "s3://others/run"], {"root": "s3://others/run"}, id="run elsewhere"),
        pytest.param(
            ["backfill", "plan", *PERIOD, "--run", "x", "--store", "mine", "--results", "here", "--model", "m", "--instances", "2"],
            {"store": "mine", "results": "here", "model_uri": "m", "instances": 2},
            id="options take precedence",
        ),
    ],
)
def test_defaults_come_from_the_stack(deployed: Any, arguments: list[str], expected: dict[str, Any]) -> None:
    deployed()
    found = parameters(*arguments)
    assert {name: found[name] for name in expected} == expected


def test_stack_with_the_reference_model_sets_no_model(deployed: Any) -> None:
    deployed(parameters=PARAMETERS | {"ModelName": ""})
    assert parameters("predict", __file__)["model_uri"] is None


@pytest.mark.parametrize(
    "arguments", [["--help"], ["backfill", "plan", "--help"], ["model", "list", "--help"], ["--version"]], ids=" ".join
)
def test_help_does_not_describe_the_stack(deployed: Any, arguments: list[str]) -> None:
    described = deployed()
    assert coinfarm("--stack", "farm", *arguments).exit_code == 0
    assert described == []


def test_given_options_need_no_description(deployed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    described = deployed()
    monkeypatch.setenv("COINFARM_STACK", "farm")
    stored(tmp_path / "store", synthetic_history(2))
    assert coinfarm("history", "check", "--store", tmp_path / "store", "--json").exit_code == 0
    assert described == []


def test_environment_variable_names_the_stack(deployed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    described = deployed()
    monkeypatch.setenv("COINFARM_STACK", "production")
    assert parameters("history", "check", stack=None)["root"] == CANDLES
    assert set(described) == {"production"}


def test_show_stack(deployed: Any, on_stack: Run, stack_model: str, tmp_path: Path) -> None:
    deployed()
    shown = dict(line.split(maxsplit=1) for line in on_stack("stack").stdout.splitlines())
    assert shown["stack"] == "farm in eu-west-1: UPDATE_COMPLETE"
    assert shown["version"] == stack_model
    document = json.loads(on_stack("stack", "--json").stdout)
    assert (document["status"], document["serves"], document["candles"]) == ("UPDATE_COMPLETE", stack_model, str(tmp_path / "candles"))
    assert document["outputs"]["QueueUrl"] == OUTPUTS["QueueUrl"]
    assert on_stack("stack", "--get", "QueueUrl").stdout == f"{OUTPUTS['QueueUrl']}\n"
    assert on_stack("stack", "--get", "candles").stdout == f"{tmp_path / 'candles'}\n"
    unknown = on_stack("stack", "--get", "Queue")
    assert (unknown.exit_code, "QueueUrl" in unknown.stderr) == (1, True)


@pytest.mark.parametrize(
    ("stack_parameters", "text"),
    [
        pytest.param(PARAMETERS, "coinfarm --stack farm model publish", id="no promoted version"),
        pytest.param({}, "reference model", id="reference model"),
    ],
)
def test_show_stack_without_a_model(deployed: Any, on_stack: Run, stack_parameters: dict[str, str], text: str) -> None:
    deployed(parameters=stack_parameters)
    assert text in on_stack("stack").stdout


def test_show_stack_requires_a_stack() -> None:
    refused = coinfarm("stack")
    assert (refused.exit_code, "COINFARM_STACK" in refused.stderr) == (2, True)


def test_failed_stack_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def describe(**_: str) -> dict[str, Any]:
        return {"Stacks": [description(status="ROLLBACK_COMPLETE")]}

    monkeypatch.setattr(Stack, "_client", type("Client", (), {"describe_stacks": staticmethod(describe)})())
    refused = coinfarm("--stack", "farm", "model", "list")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "ROLLBACK_COMPLETE" in refused.stderr
