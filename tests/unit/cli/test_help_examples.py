"""Examples in the help of a command."""

import click
import pytest
from click.testing import CliRunner

from coinfarm.cli.help_examples import show_examples


def help_of(epilog):
    command = click.Command("x", epilog=epilog)
    show_examples(click.Group("all", commands=[command]))
    return CliRunner().invoke(command, ["--help"], terminal_width=60).stdout


@pytest.mark.parametrize("heading", ["Example: ", "Examples:\ncoinfarm x\n"])
def test_each_example_has_its_own_line(heading):
    assert help_of(f"{heading}coinfarm x --option").splitlines()[-1].strip().removeprefix("Example: ") == "coinfarm x --option"


def test_long_example_is_wrapped_with_backslashes():
    command = "coinfarm x " + " ".join(f"--option-{number} 'two words'" for number in range(12)) + ' "$(date -u)"'
    shown = help_of(f"Example: {command}").partition("Example: ")[2]
    lines = shown.splitlines()
    assert len(lines) > 2
    assert max(map(len, lines)) <= 80
    assert all(line.endswith(" \\") for line in lines[:-1])
    assert all(line.strip().startswith("--option-") for line in lines[1:-1])  # not between an option and its value
    assert shown.replace("\\\n", "").split() == command.split()


def test_other_epilogs_do_not_change():
    assert help_of(None) + "\n  See also: y.\n" == help_of("See also: y.")
