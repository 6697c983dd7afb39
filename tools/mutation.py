"""Mutation testing: change one small thing in the code at a time, and count the mutants that the unit tests of the package kill.

    make mutation
    make mutation ARGUMENTS="storage candles --sample 150 --jobs 1"

pyproject.toml lists the packages (`tool.mutation`). Each is copied to build/mutation/NAME and changed there, and only its
own unit tests are run. The mutants come from mutmut. Those that change only messages are skipped. Mutants
that survive are in build/mutation/NAME/survivors.diff.
"""

import ast
import contextlib
import difflib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.stats import status_by_exit_code

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutation"]
_COPIED = ("image_render", "coinfarm", "tests/support", "tests/conftest.py", "tests/unit/conftest.py")


class Score(NamedTuple):
    package: str
    mutants: int
    tested: int
    killed: int
    timed_out: int

    def row(self) -> str:
        detected = self.killed + self.timed_out
        counts = (self.mutants, self.tested, self.killed, self.timed_out, self.tested - detected)
        return f"| {self.package} | {' | '.join(map(str, counts))} | {100 * detected / self.tested:.1f} % |"


@click.command()
@click.argument("packages", nargs=-1, type=click.Choice(list(SETTINGS["packages"])))
@click.option("--sample", type=click.IntRange(1), help="Mutants to test per package.  [default: all]")
@click.option("--seed", default=0, show_default=True, help="Chooses the sample.")
@click.option("--jobs", type=click.IntRange(1), help="Processes.  [default: one per core]")
def main(packages: tuple[str, ...], sample: int | None, seed: int, jobs: int | None) -> None:
    """Run mutation tests of PACKAGES, or of all packages, and print a table of scores."""
    scores = []
    for package in packages or SETTINGS["packages"]:
        with contextlib.chdir(_workspace(package, **SETTINGS["packages"][package])):
            mutants = {name: diff for path in _mutated_files(package) for name, diff in _mutants(path)}
            order = np.random.default_rng(seed).permutation(len(mutants))[:sample]
            chosen = [sorted(mutants)[at] for at in order]
            statuses = _statuses(chosen, jobs)
            survivors = [name for name, status in statuses.items() if status not in ("killed", "timeout")]
            Path("survivors.diff").write_text("\n".join(f"# {name}: {statuses[name]}\n{mutants[name]}\n" for name in survivors))
        killed, timed_out = (list(statuses.values()).count(status) for status in ("killed", "timeout"))
        scores.append(Score(package, len(mutants), len(chosen), killed, timed_out))
    click.echo("| package | mutants | tested | killed | timed out | survived | score |\n| --- | --- | --- | --- | --- | --- | --- |")
    click.echo("\n".join(score.row() for score in scores))


def _mutated_files(package: str) -> list[Path]:
    return sorted(path for pattern in SETTINGS["packages"][package]["code"] for path in Path().glob(pattern))


def _workspace(package: str, code: list[str], tests: list[str]) -> Path:
    """A copy of what the tests of one package need, with a configuration for mutmut."""
    folder = ROOT / "build/mutation" / package
    shutil.rmtree(folder, ignore_errors=True)
    for path in (path for name in (*_COPIED, *tests) for path in [ROOT / name, *(ROOT / name).rglob("*.py")] if path.is_file()):
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    for path in (path for pattern in code for path in folder.glob(pattern)):
        path.write_text(_move_decorators_below(path.read_text()))
    options = {
        **SETTINGS["mutmut"],
        "source_paths": ["image_render", "coinfarm"],
        "only_mutate": code,
        "pytest_add_cli_args_test_selection": tests,
    }
    lines = ["", "[tool.mutmut]", *(f"{key} = {json.dumps(value)}" for key, value in options.items())]
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text() + "\n".join(lines) + "\n")
    return folder


def _move_decorators_below(code: str) -> str:
    """`f = decorator(f)` below a function instead of `@decorator` above it: mutmut changes no decorated function."""
    lines = code.splitlines()
    functions = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef)]
    for function in sorted(functions, key=lambda function: -function.lineno):
        decorators = [ast.unparse(decorator) for decorator in function.decorator_list]
        if not decorators or decorators[0] in ("classmethod", "staticmethod"):
            continue
        assert function.end_lineno
        call = function.name
        for decorator in reversed(decorators):
            call = f"{decorator}({call})"
        lines.insert(function.end_lineno, f"{' ' * function.col_offset}{function.name} = {call}")
        del lines[function.lineno - 1 - len(decorators) : function.lineno - 1]
    return "\n".join(lines) + "\n"


def _mutants(path: Path) -> Iterator[tuple[str, str]]:
    """The name and the diff of each mutant of one file."""
    mutated = mutate_file_contents(str(path), path.read_text())
    functions = {node.name: node for node in ast.walk(ast.parse(mutated.code)) if isinstance(node, ast.FunctionDef)}
    module = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
    for name in mutated.mutant_names:
        original, mutant = (functions[re.sub("[0-9]+$", number, name)] for number in ("orig", name.rpartition("_")[2]))
        if not _changes_only_text(original.body, mutant.body):
            before, after = (ast.unparse(ast.Module(function.body, [])).splitlines() for function in (original, mutant))
            yield f"{module}.{name}", "\n".join(difflib.unified_diff(before, after, lineterm="", n=1))


def _changes_only_text(original: object, mutant: object) -> bool:
    """Whether the only difference is a text: a string of several words, which became another string, or None."""
    if isinstance(original, list) and isinstance(mutant, list):
        return len(original) == len(mutant) and all(_changes_only_text(*pair) for pair in zip(original, mutant, strict=True))
    if isinstance(original, ast.AST) and isinstance(mutant, ast.AST):
        strings = [node.value for node in ast.walk(original) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        if isinstance(original, ast.Constant | ast.JoinedStr) and any(" " in string.strip() for string in strings):
            return True
        fields = original._fields
        return type(original) is type(mutant) and all(_changes_only_text(getattr(original, each), getattr(mutant, each)) for each in fields)
    return type(original) is type(mutant) and original == mutant


def _statuses(names: list[str], jobs: int | None) -> dict[str, str]:
    """Run the tests on the mutants: "killed", "survived", "no tests", ... in mutmut's words."""
    command = [sys.executable, "-m", "mutmut", "run", *(["--max-children", str(jobs)] if jobs else []), *names]
    with Path("mutmut.log").open("w") as log:
        if subprocess.run(command, stdout=log, stderr=log, check=False).returncode:
            raise click.ClickException(f"mutmut failed: see {Path(log.name).absolute()}")
    files = (json.loads(path.read_text())["exit_code_by_key"] for path in Path("mutants").rglob("*.meta"))
    codes = {name: code for file in files for name, code in file.items()}
    return {name: status_by_exit_code[codes[name]] for name in sorted(names)}


if __name__ == "__main__":
    main()
