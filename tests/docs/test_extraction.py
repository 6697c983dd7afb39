"""Parsing of pages, and mistakes that are rejected."""

import pytest

from tests.docs.not_run import NOT_RUN, make_targets, skipped_commands, without_skipped_commands
from tests.docs.pages import ROOT, PageError, blocks_of


def blocks(markdown):
    return list(blocks_of("page.md", markdown))


def test_block_has_language_text_and_line():
    (block,) = blocks("# Title\n\nWrite `<!-- docs-test: aws -->`:\n\n```sh\necho one\necho two\n```\n")
    assert (block.place, block.language, block.text, block.needs) == ("page.md:6", "sh", "echo one\necho two\n", set())


def test_comments_apply_only_to_the_next_block():
    first, second = blocks("Text\n<!-- docs-test: aws docker -->\n<!-- docs-test: exits 3 -->\n```sh\nfalse\n```\n\n```sh\ntrue\n```\n")
    assert (first.needs, first.exit_status) == ({"aws", "docker"}, 3)
    assert (second.needs, second.exit_status) == (frozenset(), 0)


def test_skip_reason_is_the_rest_of_the_comment():
    (block,) = blocks("<!-- docs-test: skip needs aws, and docker -->\n```sh\nls\n```\n")
    assert (block.skip_reason, block.is_run) == ("needs aws, and docker", False)


@pytest.mark.parametrize(("comment", "port"), [("background 9000", 9000), ("background docker", None)])
def test_port_of_a_server(comment, port):
    (block,) = blocks(f"<!-- docs-test: {comment} -->\n```sh\ncoinfarm serve\n```\n")
    assert (block.is_background, block.port) == (True, port)


@pytest.mark.parametrize(
    ("markdown", "line"),
    [
        pytest.param("text\n\n```\nls\n```\n", 4, id="no language"),
        pytest.param("```bash\nls\n```\n", 2, id="unknown language"),
        pytest.param("text\n\n    ls\n", 3, id="indented block"),
        pytest.param("<!-- docs-test: windows -->\n```sh\nls\n```\n", 3, id="unknown directive"),
        pytest.param("<!-- docs-test: skip -->\n```sh\nls\n```\n", 3, id="skip without a reason"),
        pytest.param("<!-- docs-test: background -->\n```python\nserve()\n```\n", 3, id="Python in the background"),
        pytest.param("<!-- docs-test: aws -->\n```text\nls\n```\n", 3, id="directive for a block that is not run"),
        pytest.param("<!-- docs-test: aws -->\n\n# Next\n\n```sh\nls\n```\n", 1, id="directive without a block"),
        pytest.param("```sh\n\n$ ls\n```\n", 3, id="prompt"),
        pytest.param("```sh\nls …\n```\n", 2, id="placeholder"),
        pytest.param('```json\n{"a": …}\n```\n', 2, id="invalid JSON"),
        pytest.param("```yaml\na: [\n```\n", 2, id="invalid YAML"),
    ],
)
def test_mistake_raises_with_its_line(markdown, line):
    with pytest.raises(PageError, match=rf"^page\.md:{line}: "):
        blocks(markdown)


def test_continued_lines_are_one_command():
    (block,) = blocks("```sh\ncurl -s \\\n  localhost   # a comment\n\n# another\nls\n```\n")
    assert block.commands == ["curl -s localhost", "ls"]


def test_skipped_command_does_not_skip_its_block():
    (block,) = blocks("```sh\nmake test   # everything\nmake run\ncoinfarm verdict\ncoinfarm verdict X\n```\n")
    assert skipped_commands(block) == {name: NOT_RUN[name] for name in ("make test", "coinfarm verdict")}
    assert without_skipped_commands(block).text == ": make test is skipped\nmake run\n: coinfarm verdict is skipped\ncoinfarm verdict X\n"


def test_skipped_command_needs_its_own_line():
    (block,) = blocks("```sh\nls\nmake images && docker push coinfarm:gpu\n```\n")
    with pytest.raises(PageError, match=r"^page\.md:3: "):
        without_skipped_commands(block)


def test_skipped_commands_exist():
    targets = {command.removeprefix("make ") for command in NOT_RUN if command.startswith("make ")}
    assert targets <= make_targets()
    assert (ROOT / ".ci/run").exists()


def test_command_in_a_run_column_is_a_block():
    table = "| to | run |\n| --- | --- |\n| see | `coinfarm predict x.csv` |\n| read | see `coinfarm render` and so on |\n"
    table += "\n| needs | command |\n| --- | --- |\n| uvicorn | `coinfarm serve` |\n"
    (block,) = blocks(table)
    assert (block.line, block.language, block.text) == (3, "sh", "coinfarm predict x.csv\n")
