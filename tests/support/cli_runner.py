"""Run `coinfarm` commands in this process."""

from click.testing import CliRunner, Result

from coinfarm.cli import main


def coinfarm(*arguments: object) -> Result:
    """The result of `coinfarm ARGUMENTS`."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def unwrapped(text: str) -> str:
    """The text of a table or message as one line."""
    return " ".join(text.split())
