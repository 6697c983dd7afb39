"""Every option that a message names is an option of a command that may print it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from coinfarm.cli import main
from tests.support.repository import ROOT

PACKAGE = ROOT / "coinfarm"
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
COMMAND = re.compile(r"coinfarm(?: --stack \S+)?((?: [a-z]+)+)")
OTHER_PROGRAMS = {"--stack-name"}
"""Options of other programs that messages name."""
PRINTED_BY = {
    "candle_store/store.py": ["history import", "history download", "history generate"],
    "backfill/plan.py": ["backfill plan", "verdict"],
    "backfill/estimate.py": ["backfill plan"],
    "backfill/run_manifest.py": ["backfill plan"],
    "backtesting/lookahead.py": ["backtest"],
    "backtesting/backtest.py": ["backtest"],
    "compilation/compile.py": ["model publish"],
    "compilation/tools.py": ["model publish"],
    "evaluation/evaluate.py": ["evaluate"],
    "evaluation/findings.py": ["evaluate"],
    "evaluation/evaluation_frames.py": ["evaluate"],
    "candle_store/exchange.py": ["history download"],
    "models/card.py": ["evaluate"],
    "models/evaluations.py": ["evaluate"],
    "models/promotion.py": ["model promote", "model publish"],
    "aws/cloudformation.py": ["backfill plan"],
    "pipeline/candle_selection.py": ["verdict"],
    "demo/stack_template.py": ["backfill demo"],
}
"""The commands that print the messages of a module, unless a message names the command. All must have the option."""
CLI_MODULES = {
    "serve.py": ["serve", "invoke", "example"],
    "coverage_tables.py": ["history check"],
    "sockets.py": ["serve"],
    "options.py": ["predict", "render", "explain", "evaluate"],
    "predict.py": ["predict"],
}
"""Commands of the modules that are not named after a single command. One of them must have the option."""
EXCEPTIONS = {("models/promotion.py", "--force"), ("models/promotion.py", "--reason"), ("models/promotion.py", "--no-compile")}
"""Options of only one of the commands that print it: `publish --promote` and `promote` share the checks."""


def commands(group: click.Group = main, name: str = "") -> dict[str, set[str]]:
    """The options of every command, by its name."""
    found = {name: _options(group)}
    for each, command in group.commands.items():
        full_name = f"{name} {each}".strip()
        found |= commands(command, full_name) if isinstance(command, click.Group) else {full_name: _options(command)}
    return found


def _options(command: click.Command) -> set[str]:
    return {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {"--help"}


def messages(path: Path) -> Iterator[str]:
    """The strings of a module, except docstrings and declarations of options."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            skipped |= {id(each) for decorator in node.decorator_list for each in ast.walk(decorator)}
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("click.option", "click.argument"):
            skipped |= {id(each) for each in ast.walk(node)}
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(each) for each in node.values}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(each.value if isinstance(each, ast.Constant) else "X" for each in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def advice() -> list[tuple[str, str, str]]:
    """Module, option, and the command that the message names before the option (or an empty string)."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        module = path.relative_to(PACKAGE).as_posix()
        for text in messages(path):
            for option in OPTION.finditer(text):
                if option[0] not in OTHER_PROGRAMS and not module.startswith("demo/") and " " in text:
                    named = [each[1].strip() for each in COMMAND.finditer(text[: option.start()])]
                    found.append((module, option[0], named[-1] if named else ""))
    return sorted(set(found))


@pytest.mark.parametrize(("module", "option", "named"), advice(), ids=lambda value: value.replace("/", "."))
def test_option_named_by_a_message_exists(module: str, option: str, named: str) -> None:
    have = commands()
    named = next((" ".join(named.split()[:length]) for length in (2, 1) if " ".join(named.split()[:length]) in have), "")
    if named and option in have[named]:
        return
    if option in have[""]:
        return
    name = module.removeprefix("cli/")
    if module.startswith("cli/"):
        own = CLI_MODULES.get(name, [each for each in have if each.split(" ")[0] == name.removesuffix(".py").split("/")[0]])
        assert any(option in have[each] for each in own), f"no command of {module} has {option}"
    elif (module, option) not in EXCEPTIONS:
        assert module in PRINTED_BY, f"add {module}, which advises {option}, to PRINTED_BY"
        assert all(option in have[each] for each in PRINTED_BY[module])


def test_messages_are_found() -> None:
    assert len(advice()) > 30
