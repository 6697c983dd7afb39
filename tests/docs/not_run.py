"""Commands that the tests of pages skip, with the reason. Such a command has its own line, so that the rest of its block runs."""

import re
from dataclasses import replace

from tests.docs.pages import ROOT, Block, PageError

_CI = "a step of .ci/run"
NOT_RUN = {
    ".ci/run": "runs this test",
    "make test": "this test is part of it",
    "make lint": _CI,
    "make audit": _CI,
    "make containers": _CI,
    "make browser": _CI,
    "make freqtrade": "installs freqtrade; tests/integration/test_freqtrade_example.py tries the strategy without it",
    "make environments": _CI,
    "make scanners": "a part of make environments, " + _CI,
    "make images": "needs Docker; tests/containers builds the images",
    "make scan": "needs Docker and the internet; tests/containers and tests/unit/images try its parts",
    "make mutation": "twenty minutes; no commit depends on it",
    "make bench": "minutes of measurements; tests/unit and tests/containers try its parts",
    "make bench-gpu": "needs a GPU; tests/unit/test_gpu_benchmark.py tries it without",
    "make verdict": "minutes; docs/map.md runs a smaller map",
    "make soak": "25 minutes; tests/integration/test_soak.py runs a short one",
    "make diagram": "needs Graphviz; tests/unit/test_architecture.py compares the drawing with its source",
    "make publish-package": "needs AWS CodeArtifact; tests/packages/test_private_index.py runs it against a stand-in",
    "make image-with-index": "needs Docker and AWS CodeArtifact; tests/packages/test_private_index.py runs it against stand-ins",
    "coinfarm verdict": "a minute; docs/cli.md runs it with a file",
    "coinfarm backfill demo": "docs/cli.md runs a smaller one",
    "make clean": "removes the environment that the test runs in",
}
_FIRST_WORDS = re.compile(r"(?:make [\w-]+|\.ci/run)(?![\w/-])")


def skipped_commands(block: Block) -> dict[str, str]:
    """The skipped commands of a shell block, with the reasons."""
    found = (_skipped_command(line) for line in block.text.splitlines()) if block.language == "sh" else ()
    return {command: NOT_RUN[command] for command in found if command}


def without_skipped_commands(block: Block) -> Block:
    """The block without skipped commands. Raises `PageError` if one shares its line with another command."""
    if block.language != "sh":
        return block
    lines = []
    for number, line in enumerate(block.text.splitlines(), block.line):
        if _skipped_command(line) and re.search(r"&&|\|\||[;|\\]", line.split("#")[0]):
            raise PageError(f"{block.page}:{number}: put {_skipped_command(line)}, which the test skips, on its own line")
        lines.append(f": {_skipped_command(line)} is skipped" if _skipped_command(line) else line)
    return replace(block, text="\n".join(lines) + "\n")


def _skipped_command(line: str) -> str | None:
    command = line.split("#")[0].strip()
    found = _FIRST_WORDS.search(command)
    return next((name for name in (command, found and found[0]) if name in NOT_RUN), None)


def make_targets() -> set[str]:
    """The targets of the Makefile."""
    found = re.search(r"^\.PHONY:(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found
    return set(found[1].split())
