"""Every example in `--help` is in docs/cli.md, whose test runs it. A backslash continues a line."""

import re

import click
import pytest
from click.testing import CliRunner

from coinfarm.cli import main
from tests.docs.page_runs import all_pages
from tests.docs.pages import Block


def commands_in(command, words=()):
    """All commands and groups, by their words after `coinfarm`."""
    found = {} if command.hidden else {words: command}
    for name, each in getattr(command, "commands", {}).items():
        found |= commands_in(each, (*words, name))
    return found


COMMANDS = commands_in(main)


def examples(words):
    """The examples in a command's help at 80 columns, each on one line."""
    help_text = CliRunner().invoke(main, [*words, "--help"], prog_name="coinfarm", terminal_width=80).stdout
    _, *found = re.split(r"^\s*Examples?:\s*", help_text, flags=re.MULTILINE)
    return Block("", 0, "sh", found[-1]).commands if found else []


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_an_example_that_a_page_runs(words):
    found = examples(words)
    assert [example for example in found if not re.search(r"(^|\W)coinfarm\b", example)] == []  # a line that Click has wrapped
    assert isinstance(COMMANDS[words], click.Group) or any(re.search(rf"\bcoinfarm ([^|;&]+ )?{' '.join(words)}\b", each) for each in found)
    of_page = {command for block in all_pages()["docs/cli.md"] if block.language == "sh" for command in block.commands}
    assert [example for example in found if example not in of_page] == []
