"""Commands that the stand-in for sam rejects. test_aws_pages.py runs those that it accepts."""

import pytest

from tests.docs.checkout import fresh_copy
from tests.docs.cloud import Cloud
from tests.docs.pages import blocks_of
from tests.docs.runner import missing_tools, page_environment, run_blocks
from tests.docs.shell import BlockFailed
from tests.docs.test_aws_pages import programs_in


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Returns a function that runs a page in a fresh copy with an empty account."""
    folder = tmp_path_factory.mktemp("page")
    copy, home, logs = fresh_copy(folder / "a copy"), folder / "home", folder / "logs"
    for path in (home, logs):
        path.mkdir()
    with Cloud.started(folder) as cloud:
        environment = page_environment(copy, home, programs_in(folder / "bin"), **cloud.environment())

        def run(markdown):
            blocks = list(blocks_of("page.md", markdown))
            missing = {program for block in blocks for program in missing_tools(block, environment)}
            if missing:
                pytest.skip(f"this machine has no {', '.join(missing)}")
            run_blocks(blocks, copy, environment, logs)
            return copy

        yield run


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("sam deploy --config-env qa", "'qa'"),
        ("sam deploy --config-env dev --parameter-overrides Nonsense=1", "Nonsense"),
        ("sam deploy --config-env dev --wait-for-it", "--wait-for-it"),
        ("sam deploy --config-env dev --template-file other.yaml", "other.yaml"),
        ("sam deploy --template-file infrastructure/packages.yaml --stack-name packages", "template.yaml"),
        ("sam delete --stack-name coinfarm-none --no-prompts", "coinfarm-none"),
        ("sam build --config-env qa", "'qa'"),
    ],
)
def test_command_that_sam_would_reject_fails(run, command, message):
    with pytest.raises(BlockFailed, match=message):
        run(f"```sh\n{command}\n```\n")
