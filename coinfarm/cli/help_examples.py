"""Examples at the end of a command's help, formatted so that they can be copied from a terminal of any width."""

import re

import click

_WIDTH = 76
_WORD = r"(?:[^\s'\"]|'[^']*'|\"[^\"]*\")+"
_PART = re.compile(rf"-{_WORD}\s+(?!-){_WORD}|{_WORD}")
"""An option with its value, or a word."""
_VERBATIM = "\b"
"""Click rewraps paragraphs, except those that begin with this line."""


def show_examples(command: click.Command) -> None:
    """Format the examples of `command` and its subcommands, one per line.

    An epilog is `Example: COMMAND`, or `Examples:` and one command per line.
    """
    heading, _, commands = (command.epilog or "").partition(":")
    if heading in ("Example", "Examples"):
        texts = [text for text in commands.splitlines() if text.strip()]
        lines = (
            _lines(f"{heading}:", *texts) if len(texts) == 1 else [f"{heading}:", *(line for text in texts for line in _lines(" ", text))]
        )
        command.epilog = "\n".join([_VERBATIM, *lines])
    if isinstance(command, click.Group):
        for each in command.commands.values():
            show_examples(each)


def _lines(start: str, text: str) -> list[str]:
    """`start` and the command, wrapped between words with backslashes."""
    lines = [start]
    for part in _PART.findall(text):
        if len(lines[-1]) + len(part) > _WIDTH and lines[-1] != start:
            lines[-1] += " \\"
            lines.append("   ")
        lines[-1] += f" {part}"
    return lines
