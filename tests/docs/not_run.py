"""Commands in the pages that their test leaves out, with the reason: they are run elsewhere, or need what a test cannot have.

Such a command stands on a line of its own, so that the rest of its block runs.
"""

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
    "make environments": _CI,
    "make scanners": "a part of make environments, " + _CI,
    "make images": "needs Docker; tests/containers builds the images",
    "make scan": "needs Docker and the internet; tests/containers and tests/unit/images try its parts",
    "make mutation": "twenty minutes; no commit depends on it",
    "make bench": "minutes of measurements; tests/unit and tests/containers try its parts",
    "make bench-gpu": "needs a GPU; tests/unit/test_gpu_benchmark.py tries it without",
    "make soak": "25 minutes; tests/integration/test_soak.py runs a short one",
    "make diagram": "needs Graphviz; tests/unit/test_diagram.py compares the drawing with its source",
    "make publish-package": "needs AWS CodeArtifact; tests/packages/test_private_index.py runs it against a stand-in",
    "make image-with-index": "needs Docker and AWS CodeArtifact; tests/packages/test_private_index.py runs it against stand-ins",
    "make clean": "removes the environment that the test runs in",
}
_FIRST_WORDS = re.compile(r"(?:make [\w-]+|\.ci/run)(?![\w/-])")


def commands_left_out(block: Block) -> dict[str, str]:
    """The commands of a shell block that are not run, with the reasons."""
    found = (_command_left_out(line) for line in block.text.splitlines()) if block.language == "sh" else ()
    return {command: NOT_RUN[command] for command in found if command}


def without_commands_left_out(block: Block) -> Block:
    """The block as it is run. Raises `PageError` where a command that is left out shares its line with another."""
    if block.language != "sh":
        return block
    lines = []
    for number, line in enumerate(block.text.splitlines(), block.line):
        if _command_left_out(line) and re.search(r"&&|\|\||[;|\\]", line.split("#")[0]):
            raise PageError(f"{block.page}:{number}: put {_command_left_out(line)}, which the test leaves out, on a line of its own")
        lines.append(f": {_command_left_out(line)} is left out" if _command_left_out(line) else line)
    return replace(block, text="\n".join(lines) + "\n")


def _command_left_out(line: str) -> str | None:
    found = _FIRST_WORDS.search(line.split("#")[0])
    return found[0] if found and found[0] in NOT_RUN else None


def make_targets() -> set[str]:
    """Those of the Makefile."""
    found = re.search(r"^\.PHONY:(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found
    return set(found[1].split())
