import boto3
import pytest

from coinfarm.aws.cloudformation import Stack
from coinfarm.aws.sqs import Queue
from coinfarm.errors import StorageError


@pytest.mark.parametrize(
    ("url", "region"),
    [
        pytest.param("https://sqs.eu-west-3.amazonaws.com/1/shards", "eu-west-3", id="region of the URL"),
        pytest.param("http://127.0.0.1:5000/1/shards", "eu-west-1", id="region of AWS_REGION"),
    ],
)
def test_the_region_is_found_without_botocores_own_variable(monkeypatch, url, region):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert boto3.Session().region_name is None, "botocore reads AWS_DEFAULT_REGION only"
    assert Queue(url)._client.meta.region_name == region
    assert Stack("farm")._client.meta.region_name == "eu-west-1"


def test_the_region_defaults_to_botocores():
    assert Queue("http://127.0.0.1:5000/1/shards")._client.meta.region_name == "us-east-1"


@pytest.mark.parametrize("environment", [{}, {"AWS_REGION": ""}], ids=["unset", "empty"])
def test_a_missing_region_names_the_variable_to_set(monkeypatch, environment):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StorageError, match="AWS_REGION"):
        _ = Stack("farm").outputs
