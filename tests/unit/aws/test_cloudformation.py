import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.stub import Stubber
from cfnlint.decode import cfn_yaml

from coinfarm.aws.cloudformation import Stack
from coinfarm.errors import CoinfarmError, Forbidden, NotFound, StorageError, Unavailable
from tests.support.deployed_stack import FLEET, OUTPUTS, PARAMETERS, description
from tests.support.repository import ROOT


@pytest.fixture
def stack():
    """Makes a stack of which CloudFormation tells once what `description` has."""

    def make(**told):
        stack = Stack("farm")
        stub = Stubber(stack._client)
        stub.add_response("describe_stacks", {"Stacks": [description(**told)]}, {"StackName": "farm"})
        stub.activate()
        return stack

    return make


def test_nothing_is_asked_of_a_stack_until_it_is_used():
    assert Stack("nowhere").name == "nowhere"


def test_its_places_are_told_and_cloudformation_is_asked_once(stack):
    farm = stack()
    assert (farm.candles_uri, farm.results_uri, farm.predictions_uri) == ("s3://candles", "s3://results", "s3://results/predictions")
    assert (farm.model_uri, farm.required_model_uri) == ("s3://models/models/btc",) * 2
    assert farm.run_uri("two-years") == "s3://results/runs/two-years"
    assert (farm.region, farm.status, farm.outputs) == ("eu-west-1", "UPDATE_COMPLETE", OUTPUTS)


def test_a_run_goes_to_the_queue_of_what_it_was_planned_on(stack):
    farm = stack(outputs=OUTPUTS | FLEET)
    queues = (farm.queue_url(fleet=False), farm.queue_url(fleet=True))
    assert queues == (OUTPUTS["QueueUrl"], FLEET["FleetQueueUrl"])


def test_a_stack_without_a_fleet_says_how_to_get_one(stack):
    with pytest.raises(CoinfarmError, match=r"stack farm has no GPU fleet: deploy it with FleetRepository, or plan .* --on lambda"):
        stack().queue_url(fleet=True)


def test_a_stack_that_serves_the_reference_model_has_no_model_root(stack):
    farm = stack(parameters=PARAMETERS | {"ModelName": ""})
    assert farm.model_uri is None
    with pytest.raises(
        CoinfarmError, match=r"deploy it with ModelName=NAME, or name the model root yourself, such as s3://models/models/NAME"
    ):
        _ = farm.required_model_uri


@pytest.mark.parametrize(
    ("parameters", "limits"),
    [
        pytest.param(PARAMETERS, {"lambda_functions": 7, "lambda_memory_mb": 2048}, id="deployed"),
        pytest.param({}, {}, id="an older template"),
    ],
)
def test_how_much_it_may_work_at_once_is_as_deployed(stack, parameters, limits):
    assert stack(parameters=parameters).limits == limits


@pytest.mark.parametrize(
    ("candles", "results"),
    [
        pytest.param("/home/user/candles", "s3://results", id="candles in a folder"),
        pytest.param("s3://candles-of-others", "s3://results", id="candles in another bucket"),
        pytest.param("s3://candles", "s3://elsewhere/runs/x", id="results elsewhere"),
    ],
)
def test_a_run_that_its_functions_cannot_reach_is_refused(stack, candles, results):
    with pytest.raises(Forbidden, match=r"lies outside s3://(candles|results), where stack farm works: plan .* coinfarm --stack farm"):
        stack().check_uris(candles, results)


def test_a_run_inside_its_buckets_is_in_reach(stack):
    stack().check_uris("s3://candles/2026", "s3://results")


def test_a_stack_that_is_not_ours_is_told_by_what_it_lacks(stack):
    with pytest.raises(CoinfarmError, match="stack farm is not one of coinfarm's: it has no output CandleBucketName"):
        _ = stack(outputs={"WebsiteUrl": "https://example.com"}).candles_uri


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        ("CREATE_IN_PROGRESS", CoinfarmError, "is not made yet .* wait until its deployment has ended"),
        ("REVIEW_IN_PROGRESS", CoinfarmError, "is not made yet"),
        ("CREATE_FAILED", CoinfarmError, r"could not be made \(CREATE_FAILED: no such bucket\).* sam delete --stack-name farm"),
        ("ROLLBACK_COMPLETE", CoinfarmError, r"could not be made \(ROLLBACK_COMPLETE"),
        ("ROLLBACK_IN_PROGRESS", CoinfarmError, "could not be made"),
        ("DELETE_COMPLETE", NotFound, "is deleted, or about to be"),
        ("DELETE_IN_PROGRESS", NotFound, "is deleted, or about to be"),
    ],
)
def test_a_stack_without_resources_is_refused(stack, status, error, words):
    with pytest.raises(error, match=f"stack farm {words}"):
        _ = stack(status=status, reason="no such bucket").outputs


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"])
def test_a_stack_that_stands_is_used_whatever_became_of_its_update(stack, status):
    assert stack(status=status).outputs == OUTPUTS


@pytest.mark.parametrize(
    ("code", "message", "http_status", "error", "words"),
    [
        ("ValidationError", "Stack with id farm does not exist", 400, NotFound, "is AWS_REGION the one that it was deployed to"),
        ("ValidationError", "'stackName' failed to satisfy constraint", 400, StorageError, "failed to satisfy constraint"),
        ("AccessDenied", "not authorized", 403, Forbidden, "allow this role to call cloudformation:DescribeStacks"),
        ("ExpiredToken", "The security token included in the request is expired", 403, Forbidden, r"denies access \(ExpiredToken\)"),
        ("Throttling", "Rate exceeded", 400, Unavailable, "is unavailable"),
    ],
)
def test_what_cloudformation_refuses_is_told_with_the_remedy(code, message, http_status, error, words):
    stack = Stack("farm")
    with Stubber(stack._client) as stub:
        stub.add_client_error("describe_stacks", code, message, http_status)
        with pytest.raises(error, match=f"stack farm: .*{words}"):
            _ = stack.outputs


def test_what_is_no_answer_of_aws_is_as_good_as_none(monkeypatch):
    """A proxy, for one, has its own pages."""
    stack = Stack("farm")

    def send(request):
        return AWSResponse(request.url, 502, {}, type("Raw", (), {"stream": lambda self: [b"<!doctype html><title>Bad gateway</title>"]})())

    stack._client.meta.events.register("before-send", lambda request, **_: send(request))
    monkeypatch.setattr("botocore.retries.standard.RetryHandler.needs_retry", lambda *_, **__: None)
    with pytest.raises(Unavailable, match=r"stack farm: CloudFormation cannot be reached \(Unable to parse response"):
        _ = stack.outputs


def test_without_credentials_it_says_so(monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(Forbidden, match="stack farm: no AWS credentials"):
        _ = Stack("farm").outputs


@pytest.mark.parametrize("told", [{}, {"AWS_REGION": ""}], ids=["unset", "empty"])
def test_without_a_region_it_asks_for_one(monkeypatch, told):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StorageError, match=r"stack farm: .*AWS_REGION"):
        _ = Stack("farm").outputs


def test_aws_region_alone_is_enough(monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert Stack("farm")._client.meta.region_name == "eu-west-1"
    assert boto3.Session().region_name is None, "botocore knows AWS_DEFAULT_REGION alone"


def test_what_is_read_of_a_stack_is_in_the_template():
    template = cfn_yaml.load(str(ROOT / "template.yaml"))
    assert template["Outputs"].keys() >= OUTPUTS.keys() | FLEET.keys()
    assert template["Parameters"].keys() >= PARAMETERS.keys() | {"MaxInstances"}
