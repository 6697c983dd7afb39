"""What is read out of a page, and what a page may not have."""

import pytest

from tests.docs.not_run import NOT_RUN, commands_left_out, make_targets, without_commands_left_out
from tests.docs.pages import ROOT, PageError, blocks_of


def blocks(markdown):
    return list(blocks_of("page.md", markdown))


def test_a_block_knows_its_language_its_text_and_its_line():
    (block,) = blocks("# Title\n\nText:\n\n```sh\necho one\necho two\n```\n")
    assert (block.place, block.language, block.text) == ("page.md:6", "sh", "echo one\necho two\n")
    assert block.script.splitlines()[block.line - 1] == "echo one"


def test_a_block_in_a_list_is_found_without_its_indentation():
    (block,) = blocks("1. First:\n\n   ```sh\n   echo one\n   ```\n")
    assert (block.line, block.text) == (4, "echo one\n")


def test_comments_before_a_block_are_about_that_block_alone():
    first, second = blocks("<!-- docs-test: aws -->\n<!-- docs-test: exits 3 -->\n```sh\nfalse\n```\n\n```sh\ntrue\n```\n")
    assert (first.needs, first.exit_status) == ({"aws"}, 3)
    assert (second.needs, second.exit_status) == (frozenset(), 0)


def test_one_comment_may_say_several_things():
    (block,) = blocks("<!-- docs-test: docker background 5000 -->\n```sh\nmoto_server\n```\n")
    assert (block.needs, block.is_background, block.port) == ({"docker"}, True, 5000)


def test_the_reason_of_a_skipped_block_is_the_rest_of_the_comment():
    (block,) = blocks("<!-- docs-test: skip needs aws, and docker -->\n```sh\nls\n```\n")
    assert (block.skip_reason, block.is_run) == ("needs aws, and docker", False)


def test_a_comment_may_follow_a_paragraph_directly():
    (block,) = blocks("Text\n<!-- docs-test: docker -->\n```sh\ntrue\n```\n")
    assert block.needs == {"docker"}


def test_a_comment_that_is_quoted_as_code_is_none():
    (block,) = blocks("Write `<!-- docs-test: aws -->`.\n\n```sh\ntrue\n```\n")
    assert block.needs == frozenset()


@pytest.mark.parametrize(
    ("comment", "command", "port"),
    [
        ("background", "coinfarm serve", 8080),
        ("background", "coinfarm serve --port 9000", 9000),
        ("background", "coinfarm --stack NAME serve", 8080),
        ("background", "sam local start-api", 3000),
        ("background", "coinfarm --stack coinfarm-dev worker", None),
        ("background 4000", "python -m http.server 4000", 4000),
    ],
)
def test_a_server_has_a_port(comment, command, port):
    (block,) = blocks(f"<!-- docs-test: {comment} -->\n```sh\n{command}\n```\n")
    assert block.is_background
    assert block.port == port


@pytest.mark.parametrize(
    ("markdown", "line"),
    [
        pytest.param("text\n\n```\nls\n```\n", 4, id="no language"),
        pytest.param("```bash\nls\n```\n", 2, id="unknown language"),
        pytest.param("text\n\n    ls\n", 3, id="indented block"),
        pytest.param("<!-- docs-test: windows -->\n```sh\nls\n```\n", 3, id="unknown directive"),
        pytest.param("<!-- docs-test: skip -->\n```sh\nls\n```\n", 3, id="skip without a reason"),
        pytest.param("<!-- docs-test: exits maybe -->\n```sh\nls\n```\n", 3, id="no exit status"),
        pytest.param("<!-- docs-test: background -->\n```sh\nnc -l 99\n```\n", 3, id="server without a port"),
        pytest.param("<!-- docs-test: background -->\n```python\nserve()\n```\n", 3, id="Python in the background"),
        pytest.param("<!-- docs-test: aws -->\n```text\nls\n```\n", 3, id="directive for a block that is not run"),
        pytest.param("<!-- docs-test: aws -->\n\n# Next\n\n```sh\nls\n```\n", 1, id="directive without a block"),
        pytest.param("```sh\n\n$ ls\n```\n", 3, id="prompt"),
        pytest.param("```sh\nls …\n```\n", 2, id="placeholder"),
        pytest.param('```json\n{"a": …}\n```\n', 2, id="invalid JSON"),
        pytest.param("```toml\na = \n```\n", 2, id="invalid TOML"),
        pytest.param("```yaml\na: [\n```\n", 2, id="invalid YAML"),
    ],
)
def test_a_mistake_in_a_page_is_an_error_at_its_line(markdown, line):
    with pytest.raises(PageError, match=rf"^page\.md:{line}: "):
        blocks(markdown)


def test_a_template_of_cloudformation_is_yaml():
    (block,) = blocks("```yaml\nValue: !Sub ${Api}\n```\n")
    assert block.language == "yaml"


def test_continued_lines_are_one_command():
    (block,) = blocks("```sh\ncurl -s \\\n  localhost   # a comment\n\n# another\nls\n```\n")
    assert block.commands == ["curl -s localhost", "ls"]


def test_a_command_that_runs_elsewhere_is_left_out_and_its_neighbours_stay():
    (block,) = blocks("```sh\nmake test   # everything\nls\n```\n")
    assert commands_left_out(block) == {"make test": NOT_RUN["make test"]}
    assert without_commands_left_out(block).text == ": make test is left out\nls\n"


def test_it_stands_on_a_line_of_its_own():
    (block,) = blocks("```sh\nls\nmake images && docker push coinfarm:gpu\n```\n")
    with pytest.raises(PageError, match=r"^page\.md:3: "):
        without_commands_left_out(block)


def test_other_targets_of_make_are_run():
    (block,) = blocks("```sh\nmake run\nmake test-everything\n```\n")
    assert commands_left_out(block) == {}


def test_what_is_left_out_exists():
    targets = {command.removeprefix("make ") for command in NOT_RUN if command.startswith("make ")}
    assert targets <= make_targets()
    assert (ROOT / ".ci/run").exists()


def test_a_command_alone_in_a_tables_cell_is_a_block() -> None:
    table = "| to | run |\n| --- | --- |\n| see | `coinfarm predict x.csv` |\n| read | see `coinfarm render` and so on |\n"
    table += "\n| needs | command |\n| --- | --- |\n| uvicorn | `coinfarm serve` |\n"
    (block,) = blocks_of("page.md", table)
    assert (block.line, block.language, block.text) == (3, "sh", "coinfarm predict x.csv\n")
