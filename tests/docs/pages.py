"""The pages of the documentation and their fenced blocks.

Every block has a language. HTML comments before a block say what it needs:

    <!-- docs-test: background 8080 --> a server on that port: it runs until the end of the page. Without a number it does not listen.
    <!-- docs-test: aws -->             AWS: a stand-in with the stacks coinfarm-dev and coinfarm-prod.
    <!-- docs-test: docker -->          Docker: the block runs in tests/containers only.
    <!-- docs-test: exits 3 -->         the last command of the block exits with that status.
    <!-- docs-test: skip REASON -->     the block is not run.

One comment may contain several of them: `docs-test: docker background 3000`. The cells of a table's column `run` are run too.
`not_run` lists the commands that no test runs.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
RUN = frozenset({"sh", "python"})
PARSED = {"json": json.loads, "toml": tomllib.loads, "yaml": yaml.compose}  # compose ignores tags, such as CloudFormation's
NOT_CHECKED = frozenset({"text", "csv", "diff", "dockerfile", "html", "http", "sql"})
"""Languages of output, and of code that cannot be run here."""

_COMMENT = re.compile(r"<!--\s*docs-test:\s*(.*?)\s*-->", re.DOTALL)
_COMMAND_CELL = re.compile(r"`(coinfarm [^`]+)`")


class PageError(Exception):
    """A page that cannot be tested in this form."""


@dataclass(frozen=True)
class Block:
    """A fenced block. `line` is the number of its first line of text, `page` the file's path in the repository."""

    page: str
    line: int
    language: str
    text: str
    needs: frozenset[str] = frozenset()
    skip_reason: str | None = None
    is_background: bool = False
    port: int | None = None
    exit_status: int = 0

    @property
    def place(self) -> str:
        """The page and the line, in the format that editors open."""
        return f"{self.page}:{self.line}"

    @property
    def is_run(self) -> bool:
        return self.language in RUN and self.skip_reason is None

    @property
    def commands(self) -> list[str]:
        """The commands of a shell block, with continued lines joined, without comments and empty lines."""
        joined = re.sub(r"\\\n\s*", "", self.text)
        lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines())
        return [re.sub(r"\s+", " ", line) for line in lines if line]


def page_names(root: Path = ROOT) -> list[str]:
    """The pages whose blocks are run."""
    fixed = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "events/README.md", "coinfarm/training/README.md"]
    return fixed + sorted(path.relative_to(root).as_posix() for path in (root / "docs").glob("*.md"))


def page_blocks(name: str, root: Path = ROOT) -> list[Block]:
    """The blocks of a page, in order. Raises `PageError` for a block that cannot be tested."""
    return list(blocks_of(name, (root / name).read_text(encoding="utf-8")))


def blocks_of(page: str, markdown: str) -> Iterator[Block]:
    """The blocks of a page's text."""
    directives: list[tuple[int, str]] = []
    is_command_table = False
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        if token.type == "table_open":
            is_command_table = False
        elif token.type == "inline" and token.content == "run":
            is_command_table = True
        elif token.type == "inline" and is_command_table and (command := _COMMAND_CELL.fullmatch(token.content)):
            yield Block(page, _line(token), "sh", f"{command[1]}\n")
        for html in [token, *(token.children or [])]:
            if html.type in ("html_block", "html_inline"):
                directives += [(_line(token), text) for text in _COMMENT.findall(html.content)]
        if token.type == "code_block":
            raise PageError(f"{page}:{_line(token)}: replace the indented block by one between ``` lines, with a language")
        elif token.type == "fence":
            yield _block(page, token, [text for _, text in directives])
            directives = []
        elif directives and token.type == "heading_open":
            break
    for line, text in directives:
        raise PageError(f"{page}:{line}: no block follows the comment {text!r}")


def _line(token: Token) -> int:
    assert token.map is not None
    return token.map[0] + 1


def _block(page: str, token: Token, directives: list[str]) -> Block:
    block = Block(page, _line(token) + 1, token.info.strip(), token.content)
    if block.language not in RUN | PARSED.keys() | NOT_CHECKED:
        known = ", ".join(sorted(RUN | PARSED.keys() | NOT_CHECKED))
        raise PageError(f"{block.place}: the language {block.language!r} must be one of {known}")
    for directive in directives:
        block = _with_directive(block, directive.split())
    if block.language in PARSED:
        try:
            PARSED[block.language](block.text)
        except (ValueError, yaml.YAMLError) as error:
            raise PageError(f"{block.place}: invalid {block.language}: {error}") from None
    if block.language == "sh":
        _check_commands(block)
    return block


def _with_directive(block: Block, words: list[str]) -> Block:
    match words if block.is_run else ["not run"]:
        case []:
            return block
        case ["skip", _, *_]:
            return replace(block, skip_reason=" ".join(words[1:]))
        case ["aws" | "docker" as need, *rest]:
            block = replace(block, needs=block.needs | {need})
        case ["exits", status, *rest] if status.isdigit():
            block = replace(block, exit_status=int(status))
        case ["background", port, *rest] if block.language == "sh" and port.isdigit():
            block = replace(block, is_background=True, port=int(port))
        case ["background", *rest] if block.language == "sh":
            block = replace(block, is_background=True)
        case _:
            raise PageError(f"{block.place}: unknown comment {' '.join(words)!r}; see tests/docs/pages.py")
    return _with_directive(block, rest)


def _check_commands(block: Block) -> None:
    for number, line in enumerate(block.text.splitlines(), block.line):
        if line.startswith("$ "):
            raise PageError(f"{block.page}:{number}: remove the prompt, so that the line can be copied")
        if "…" in line.split("#")[0]:
            raise PageError(f"{block.page}:{number}: … cannot be run: use a variable that the page assigns")
