"""Every example in `--help` is in docs/cli.md, whose test runs it."""

import re

import click
import pytest

from tests.docs.examples import all_commands, commands_of, help_examples
from tests.docs.pages import ROOT, PageError, blocks_of, page_blocks

PAGE = "docs/cli.md"
COMMANDS = all_commands()


@pytest.fixture(scope="module")
def commands_of_page():
    if not (ROOT / PAGE).exists():
        pytest.skip(f"there is no {PAGE}")
    try:
        return commands_of(page_blocks(PAGE))
    except PageError:
        pytest.skip(f"{PAGE} is invalid: see test_pages.py")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_ends_with_a_complete_example(words):
    examples = help_examples(words)
    assert examples or isinstance(COMMANDS[words], click.Group)
    assert [example for example in examples if not re.search(r"(^|\W)coinfarm\b", example)] == []  # a line that Click has wrapped
    if examples:
        assert any(re.search(rf"\bcoinfarm ([^|;&]+ )?{' '.join(words)}\b", example) for example in examples)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_example_is_run_by_a_page(words, commands_of_page):
    assert [example for example in help_examples(words) if example not in commands_of_page] == []


def test_command_in_a_page_may_have_several_lines():
    page = "```sh\ncoinfarm x --long option \\\n  --more\n```\n"
    assert commands_of(list(blocks_of("page.md", page))) == {"coinfarm x --long option --more"}
