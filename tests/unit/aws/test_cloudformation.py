import pytest
from botocore.stub import Stubber
from cfnlint.decode import cfn_yaml

from coinfarm.aws.cloudformation import Stack
from coinfarm.errors import CoinfarmError, Forbidden, NotFound
from tests.support.deployed_stack import FLEET, OUTPUTS, PARAMETERS, description
from tests.support.repository import ROOT


@pytest.fixture
def stack():
    """Creates a stack that CloudFormation describes once, as `description` does."""

    def make(**fields):
        stack = Stack("farm")
        stub = Stubber(stack._client)
        stub.add_response("describe_stacks", {"Stacks": [description(**fields)]}, {"StackName": "farm"})
        stub.activate()
        return stack

    return make


def test_the_stack_is_described_once(stack):
    farm = stack()
    assert (farm.candles_uri, farm.results_uri, farm.predictions_uri) == ("s3://candles", "s3://results", "s3://results/predictions")
    assert (farm.model_uri, farm.required_model_uri) == ("s3://models/models/btc",) * 2
    assert farm.run_uri("two-years") == "s3://results/runs/two-years"
    assert (farm.region, farm.status, farm.outputs) == ("eu-west-1", "UPDATE_COMPLETE", OUTPUTS)


def test_lambda_and_the_fleet_have_a_queue_each(stack):
    farm = stack(outputs=OUTPUTS | FLEET)
    queues = (farm.queue_url(fleet=False), farm.queue_url(fleet=True))
    assert queues == (OUTPUTS["QueueUrl"], FLEET["FleetQueueUrl"])


def test_a_stack_without_a_fleet_names_the_parameter_that_adds_one(stack):
    with pytest.raises(CoinfarmError, match="FleetRepository"):
        stack().queue_url(fleet=True)


def test_a_stack_that_serves_the_reference_model_has_no_model_uri(stack):
    farm = stack(parameters=PARAMETERS | {"ModelName": ""})
    assert farm.model_uri is None
    with pytest.raises(CoinfarmError, match="s3://models/models/NAME"):
        _ = farm.required_model_uri


def test_limits_are_the_parameters_that_the_template_has(stack):
    assert stack(parameters=PARAMETERS).limits == {"lambda_functions": 7, "lambda_memory_mb": 2048}
    assert stack(parameters={}).limits == {}, "an older template"


@pytest.mark.parametrize(
    ("candles", "results"),
    [
        ("/home/user/candles", "s3://results"),
        ("s3://candles-of-others", "s3://results"),
        ("s3://candles", "s3://elsewhere/runs/x"),
    ],
)
def test_rejects_uris_outside_its_buckets(stack, candles, results):
    stack().check_uris("s3://candles/2026", "s3://results")
    with pytest.raises(Forbidden, match="coinfarm --stack farm"):
        stack().check_uris(candles, results)


def test_a_stack_of_another_template_is_rejected_for_the_missing_output(stack):
    with pytest.raises(CoinfarmError, match=r"farm .*CandleBucketName"):
        _ = stack(outputs={"WebsiteUrl": "https://example.com"}).candles_uri


@pytest.mark.parametrize(
    ("status", "error", "has_reason"),
    [
        ("CREATE_IN_PROGRESS", CoinfarmError, False),
        ("CREATE_FAILED", CoinfarmError, True),
        ("ROLLBACK_COMPLETE", CoinfarmError, True),
        ("DELETE_COMPLETE", NotFound, False),
    ],
)
def test_rejects_a_stack_without_resources(stack, status, error, has_reason):
    with pytest.raises(CoinfarmError, match=rf"stack farm .*{status}") as raised:
        _ = stack(status=status, reason="no such bucket").outputs
    assert type(raised.value) is error
    assert ("no such bucket" in str(raised.value)) == has_reason
    assert stack(status="UPDATE_ROLLBACK_FAILED").outputs == OUTPUTS, "the resources exist after any update"


def test_the_outputs_and_parameters_that_are_read_exist_in_the_template():
    template = cfn_yaml.load(str(ROOT / "template.yaml"))
    assert template["Outputs"].keys() >= OUTPUTS.keys() | FLEET.keys()
    assert template["Parameters"].keys() >= PARAMETERS.keys() | {"MaxInstances"}
