"""The examples in `--help`: one command per line after `Example:` or `Examples:`. A backslash continues a line."""

import re
from collections.abc import Iterator

import click
from click.testing import CliRunner

from coinfarm.cli import main
from tests.docs.pages import Block

_HEADING = re.compile(r"^\s*Examples?:\s*", re.MULTILINE)


def all_commands() -> dict[tuple[str, ...], click.Command]:
    """All commands and groups, by their words after `coinfarm`."""
    return dict(_commands(main, ()))


def _commands(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not command.hidden:
        yield words, command
    if isinstance(command, click.Group):
        for name, each in sorted(command.commands.items()):
            yield from _commands(each, (*words, name))


def help_examples(words: tuple[str, ...]) -> list[str]:
    """The examples in a command's help at 80 columns, each on one line."""
    help_text = CliRunner().invoke(main, [*words, "--help"], prog_name="coinfarm", terminal_width=80).stdout
    found = _HEADING.split(help_text)
    return [] if len(found) == 1 else list(_joined(found[-1]))


def commands_of(blocks: list[Block]) -> set[str]:
    """The commands of a page's shell blocks, each on one line, including those of skipped blocks."""
    return {_one_line(command) for block in blocks if block.language == "sh" for command in _joined(block.text)}


def _joined(text: str) -> Iterator[str]:
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        command = re.sub(r"\s+#.*", "", line.strip())
        if command:
            yield _one_line(command)


def _one_line(command: str) -> str:
    return re.sub(r"\s+", " ", command).strip()
