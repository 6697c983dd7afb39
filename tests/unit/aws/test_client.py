import boto3
import pytest

from coinfarm.aws.cloudformation import Stack
from coinfarm.aws.sqs import Queue
from coinfarm.errors import StorageError


def test_the_region_is_that_of_the_url_or_of_the_environment(monkeypatch):
    local = "http://127.0.0.1:5000/1/shards"
    assert Queue(local)._client.meta.region_name == "us-east-1", "of AWS_DEFAULT_REGION"
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert boto3.Session().region_name is None, "botocore reads AWS_DEFAULT_REGION only"
    assert Queue(local)._client.meta.region_name == Stack("farm")._client.meta.region_name == "eu-west-1"
    assert Queue("https://sqs.eu-west-3.amazonaws.com/1/shards")._client.meta.region_name == "eu-west-3"


@pytest.mark.parametrize("environment", [{}, {"AWS_REGION": ""}], ids=["unset", "empty"])
def test_a_missing_region_names_the_variable_to_set(monkeypatch, environment):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StorageError, match="AWS_REGION"):
        _ = Stack("farm").outputs
