"""Every option that a message names is an option of a command that may print it."""

import ast
import re

from coinfarm.cli import main
from tests.support.repository import ROOT

PACKAGE = ROOT / "coinfarm"
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
COMMAND = re.compile(r"coinfarm(?: --stack \S+)? ([a-z]+(?: [a-z]+)?)")
PRINTS = {
    "backfill plan": ("backfill/", "aws/cloudformation.py", "candles/day.py"),
    "verdict": ("backfill/plan.py", "candles/day.py", "pipeline/"),
    "backtest": ("backtesting/",),
    "evaluate": ("candles/day.py", "evaluation/", "models/card.py", "models/evaluations.py"),
    "history download": ("candle_store/", "candles/day.py"),
    "history generate": ("candle_store/store.py",),
    "history import": ("candle_store/store.py", "candles/sources/"),
    "model promote": ("models/promotion.py",),
    "model publish": (
        "models/promotion.py",
        "compilation/",
        "publishing/",
        "models/output_names.py",
        "models/candidate.py",
        "engines/network_adapter.py",
    ),
    "scorecard": ("scorecard/",),
    "serve": ("cli/sockets.py",),
    "predict, render, explain, evaluate": ("cli/options.py",),
    "history check": ("cli/store_tables.py",),
}
"""Which commands print the messages of modules, unless a message names a command. Other modules of the CLI have a command's name."""
EXCEPTIONS = {("models/promotion.py", option) for option in ("--force", "--reason", "--no-compile")}
"""`publish --promote` and `promote` share the checks, but not these options."""
OTHER_PROGRAMS = ("--stack-name",)
"""Options of the AWS CLI."""


def options(group=main, name=""):
    """The options of every command, by its name."""
    found = {name: {option for each in group.params for option in (*each.opts, *each.secondary_opts)} | {"--help"}}
    for each, command in getattr(group, "commands", {}).items():
        found |= options(command, f"{name} {each}".strip())
    return found


def messages(path):
    """The strings of a module, except docstrings and declarations of options."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            skipped |= {id(each) for decorator in node.decorator_list for each in ast.walk(decorator)}
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("click.option", "click.argument"):
            skipped |= {id(each) for each in ast.walk(node)}
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(each) for each in node.values}
            if id(node) not in skipped:
                yield "".join(each.value if isinstance(each, ast.Constant) else "X" for each in node.values)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.value


def advice():
    """Module, option, and the command that the message names before the option."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = path.relative_to(PACKAGE).as_posix()
        for text in messages(path) if not module.startswith("demo/") else ():
            for option in OPTION.finditer(text):
                if " " in text and option[0] not in OTHER_PROGRAMS:
                    yield module, option[0], (COMMAND.findall(text[: option.start()]) or [""])[-1]


def test_options_named_by_messages_exist():
    have = options()
    found = set(advice())
    assert len(found) > 30
    for module, option, named in found - {(*each, "") for each in EXCEPTIONS}:
        if option in have.get(named, have.get(named.split(" ")[0], ())) or option in have[""]:
            continue
        printed_by = [commands for commands, modules in PRINTS.items() if module.startswith(modules)]
        if module.startswith("cli/") and not printed_by:
            printed_by = [", ".join(name for name in have if name.split(" ")[0] == module.split("/")[1].removesuffix(".py"))]
        assert printed_by, f"add {module}, which advises {option}, to PRINTS"
        for commands in printed_by:
            assert any(option in have[command] for command in commands.split(", ")), f"{module} advises {option}"
