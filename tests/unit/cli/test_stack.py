"""`coinfarm --stack NAME …`: the defaults of each command, and `coinfarm stack`."""

import json
from types import SimpleNamespace

import click
import pytest

from coinfarm.aws.cloudformation import Stack
from coinfarm.cli import main
from coinfarm.cli.stack import _defaults
from tests.support.candle_stores import stored, synthetic_history
from tests.support.cli_runner import coinfarm
from tests.support.deployed_stack import OUTPUTS, PARAMETERS, description

CANDLES, RESULTS, MODEL = "s3://candles", "s3://results", "s3://models/models/btc"
PERIOD = ["--symbol", "DEMOUSD", "--from", "2026-01-01", "--to", "2026-01-04"]


def parameters_with_defaults(command, defaults):
    for name, below in defaults.items():
        if name in getattr(command, "commands", ()):
            yield from parameters_with_defaults(command.commands[name], below)
        else:
            yield command, name


def test_every_default_belongs_to_a_parameter():
    found = list(parameters_with_defaults(main, _defaults(lambda: Stack("farm"))))
    assert len(found) > 10
    assert [name for command, name in found if name not in {each.name for each in command.params}] == []


def parameters(*arguments, stack="farm"):
    """The parameters that the command would be called with."""
    called, original = {}, click.Command.invoke

    def invoke(self, context):
        return original(self, context) if isinstance(self, click.Group) else called.update(context.params)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(click.Command, "invoke", invoke)
        ran = coinfarm(*(["--stack", stack] if stack else []), *arguments)
    assert ran.exit_code == 0, ran.output
    return called


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["backtest"], {"predictions": f"{RESULTS}/predictions", "candles": CANDLES, "model_uri": MODEL}, id="backtest"),
        pytest.param(["scorecard"], {"store_uri": RESULTS, "model_uri": MODEL}, id="scorecard"),
        pytest.param(["history", "check"], {"root": CANDLES}, id="history check"),
        pytest.param(["model", "show", "20260101-0a1b2c3d"], {"root": MODEL, "version": "20260101-0a1b2c3d"}, id="model show"),
        pytest.param(["model", "show", "folder", "20260101-0a1b2c3d"], {"root": "folder"}, id="model show of a folder"),
        pytest.param(
            ["backfill", "plan", *PERIOD, "--run", "two-years"],
            {"store": CANDLES, "results": RESULTS, "root": f"{RESULTS}/runs/two-years", "model_uri": MODEL}
            | {"lambda_functions": 7, "lambda_memory_mb": 2048, "instances": 30},
            id="backfill plan",
        ),
        pytest.param(["backfill", "status", "--run", "./two-years"], {"root": "./two-years"}, id="run in a folder"),
        pytest.param(
            ["backfill", "plan", *PERIOD, "--run", "x", "--store", "mine", "--results", "here", "--model", "m", "--instances", "2"],
            {"store": "mine", "results": "here", "model_uri": "m", "instances": 2},
            id="options take precedence",
        ),
    ],
)
def test_defaults_come_from_the_stack(deployed, arguments, expected):
    deployed()
    found = parameters(*arguments)
    assert {name: found[name] for name in expected} == expected


def test_help_and_given_options_do_not_describe_the_stack(deployed, tmp_path):
    described = deployed()
    stored(tmp_path / "store", synthetic_history(2))
    for arguments in (["--help"], ["backfill", "plan", "--help"], ["--version"], ["history", "check", "--store", tmp_path / "store"]):
        assert coinfarm("--stack", "farm", *arguments).exit_code == 0
    assert described == []


def test_environment_variable_names_the_stack(deployed, monkeypatch):
    described = deployed()
    monkeypatch.setenv("COINFARM_STACK", "production")
    assert parameters("history", "check", stack=None)["root"] == CANDLES
    assert set(described) == {"production"}
    monkeypatch.delenv("COINFARM_STACK")
    rejected = coinfarm("stack")
    assert (rejected.exit_code, "COINFARM_STACK" in rejected.stderr) == (2, True)


def test_show_stack(deployed, on_stack, stack_model, tmp_path):
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


@pytest.mark.parametrize(("name", "text"), [("btc", "coinfarm --stack farm model publish"), ("", "reference model")])
def test_stack_without_a_promoted_version(deployed, on_stack, name, text):
    deployed(parameters=PARAMETERS | {"ModelName": name})
    assert text in on_stack("stack").stdout
    assert bool(parameters("predict", __file__)["model_uri"]) == bool(name)


def test_failed_stack_is_one_line(monkeypatch):
    stacks = {"Stacks": [description(status="ROLLBACK_COMPLETE")]}
    monkeypatch.setattr(Stack, "_client", SimpleNamespace(describe_stacks=lambda **_: stacks))
    rejected = coinfarm("--stack", "farm", "model", "list")
    assert (rejected.exit_code, rejected.stderr.count("\n")) == (1, 1)
    assert "ROLLBACK_COMPLETE" in rejected.stderr
