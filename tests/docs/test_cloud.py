"""The AWS stand-in for pages: a page deploys a stack, publishes a model, calls its API and runs a backfill."""

import pytest

from tests.docs.checkout import fresh_copy
from tests.docs.cloud import Cloud
from tests.docs.pages import blocks_of
from tests.docs.runner import missing_tools, page_environment, run_blocks
from tests.docs.shell import BlockFailed
from tests.docs.test_aws_pages import programs_in

PAGE = """
```sh
sam build
sam deploy --config-env dev
coinfarm --stack coinfarm-dev invoke events/direct.json > response.json
test "$(grep -c endChangePct response.json)" = 11
```

The key and the URL of the API:

```sh
output() { coinfarm --stack coinfarm-dev stack --json | python -c "import json, sys; print(json.load(sys.stdin)['outputs']['$1'])"; }
ApiUrl=$(output ApiUrl)
get_key="import boto3, sys; print(boto3.client('apigateway').get_api_key(apiKey=sys.argv[1], includeValue=True)['value'])"
key=$(python -c "$get_key" "$(output ApiKeyId)")
curl -sf "$ApiUrl/health"
curl -sf "$ApiUrl/predictions" -H "x-api-key: $key" -H 'content-type: application/json' -d @events/direct.json > over-http.json
test "$(curl -s -o /dev/null -w '%{http_code}' "$ApiUrl/model")" = 403
```

With a model in the bucket, after an update of the stack:

```sh
sed -i '/^\\[dev.deploy/,$ s/"AccessLogs=Off",/"ModelName=btc", &/' samconfig.toml
sam deploy --config-env dev
coinfarm --stack coinfarm-dev model publish coinfarm/reference_model/versions/* --no-compile --promote
coinfarm --stack coinfarm-dev history generate --symbol DEMOBTC --interval 15m --days 4
coinfarm --stack coinfarm-dev backfill plan --symbol DEMOBTC --interval 15m --from 2026-01-01 --to 2026-01-05 --run r --frames-per-s 2000
coinfarm --stack coinfarm-dev backfill submit --run r
coinfarm --stack coinfarm-dev backfill status --run r --watch --every-s 0.5
coinfarm --stack coinfarm-dev backfill collect --run r -o r.parquet
test -s r.parquet
sam delete --config-env dev --no-prompts
```
"""


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


def test_page_uses_a_working_stack(run):
    copy = run(PAGE)
    assert (copy / "over-http.json").stat().st_size > 1000


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("sam deploy --config-env qa", "no environment 'qa'"),
        ("sam deploy --config-env dev --parameter-overrides Nonsense=1", "no parameter Nonsense"),
        ("sam deploy --config-env dev --wait-for-it", "unrecognized arguments"),
        ("sam deploy --config-env dev --template-file other.yaml", "there is no other.yaml"),
        ("sam deploy --template-file infrastructure/packages.yaml --stack-name packages", "template.yaml only"),
        ("sam delete --stack-name coinfarm-none --no-prompts", "there is no stack coinfarm-none"),
        ("sam build --config-env qa", "no environment 'qa'"),
    ],
)
def test_command_that_sam_would_reject_fails(run, command, message):
    with pytest.raises(BlockFailed, match=message):
        run(f"```sh\n{command}\n```\n")
