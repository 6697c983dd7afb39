"""What CloudFormation makes of template.yaml for each stage of samconfig.toml, with the fleet and without, in moto."""

import json

import pytest

from tests.integration.stack.templates import stage_parameters
from tests.support.expanded_template import ROOT

MOTO_LACKS = [
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::ApiKey",
    "AWS::ApiGateway::Stage",
    "AWS::ApiGateway::UsagePlan",
    "AWS::ApiGateway::UsagePlanKey",
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::AutoScaling::ScalingPolicy",
    "AWS::CloudWatch::Alarm",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::Lambda::Alias",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
]
MOTO_MAKES_OTHERWISE = {
    "AWS::ApiGateway::Deployment": "without an id",
    "AWS::ApiGateway::RestApi": "without the routes of its body",
    "AWS::CloudFormation::Stack": "without outputs",
    "AWS::Lambda::Function": "without its image, its logs, tracing and disk",
    "AWS::Lambda::Permission": "without an id",
    "AWS::Lambda::Version": "without a number",
}
EVERYTHING = {
    "AccessLogs": "OnWithAccountRole",
    "AlarmEmail": "somebody@example.com",
    "ApiAuth": "Iam",
    "BucketLogs": "logs",
    "ProvisionedConcurrency": "2",
    "ProvisionedFrom": "cron(45 8 ? * MON-FRI *)",
    "ProvisionedTo": "cron(0 18 ? * MON-FRI *)",
}
VARIANTS = ["dev", "dev with fleet", "prod", "prod with fleet", "everything"]


@pytest.fixture(scope="module", params=VARIANTS)
def stack(request, account, with_fleet):
    """One of each kind."""
    stage, _, addition = request.param.partition(" with ")
    if stage == "everything":
        account.client("s3").create_bucket(Bucket=EVERYTHING["BucketLogs"])
        return account.deploy("everything", {**stage_parameters("prod"), **with_fleet, **EVERYTHING})
    if request.param == "prod with fleet":
        return request.getfixturevalue("farm").stack
    return account.deploy(request.param.replace(" ", "-"), stage_parameters(stage) | (with_fleet if addition else {}))


def test_moto_is_taught_no_more_than_it_lacks(account):
    assert account.lacking == MOTO_LACKS
    assert account.replaced == list(MOTO_MAKES_OTHERWISE)


def test_every_resource_is_made(stack):
    assert stack.status == "CREATE_COMPLETE"
    assert stack.not_made == set()
    assert stack.nested.keys() - {"Fleet"} == {"Monitoring"}
    assert ("Fleet" in stack.nested) == ("FleetQueueUrl" in stack.outputs)


def test_a_function_runs_the_image_with_the_settings_of_its_stack(stack, account):
    for resource in ("ApiFunction", "BatchFunction"):
        made = account.client("lambda").get_function_configuration(FunctionName=stack.id_of(resource))
        variables = made["Environment"]["Variables"]
        assert (made["PackageType"], made["EphemeralStorage"]["Size"]) == ("Image", 1024)
        assert variables["CANDLES_ROOT"] == f"s3://{stack.outputs['CandleBucketName']}"
        assert variables["RESULTS_ROOT"] == f"s3://{stack.outputs['ResultBucketName']}"
        assert variables["POWERTOOLS_TRACE_DISABLED"] == ("false" if made["TracingConfig"]["Mode"] == "Active" else "true")
        assert made["Role"].endswith(f"/{stack.id_of(resource.replace('Function', 'Role'))}")


def test_the_queue_feeds_the_batch_function_and_buries_what_fails(stack, account):
    sqs = account.client("sqs")
    found = sqs.get_queue_attributes(QueueUrl=stack.outputs["QueueUrl"], AttributeNames=["All"])["Attributes"]
    (events,) = account.client("lambda").list_event_source_mappings(EventSourceArn=found["QueueArn"])["EventSourceMappings"]
    assert f":{stack.id_of('BatchFunction')}:" in events["FunctionArn"]
    assert events["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    dead = sqs.get_queue_attributes(QueueUrl=stack.outputs["DeadLetterQueueUrl"], AttributeNames=["QueueArn"])["Attributes"]
    assert json.loads(found["RedrivePolicy"])["deadLetterTargetArn"] == dead["QueueArn"]


def test_each_route_of_the_document_reaches_the_alias_and_only_health_is_open(stack, account):
    gateway = account.client("apigateway")
    api = stack.id_of("Api")
    found = {}
    for resource in gateway.get_resources(restApiId=api)["items"]:
        for method in resource.get("resourceMethods", {}):
            found[resource["path"], method.lower()] = gateway.get_integration(restApiId=api, resourceId=resource["id"], httpMethod=method)[
                "uri"
            ]
    described = json.loads((ROOT / "handler/openapi.json").read_text())["paths"]
    assert found.keys() == {(path, method) for path, methods in described.items() for method in methods}
    function = account.client("lambda").get_function_configuration(FunctionName=stack.id_of("ApiFunction"))["FunctionArn"]
    assert all(uri.endswith(f"/functions/{function}:live/invocations") for uri in found.values())
    body = stack.wanted["Api"]["Properties"]["Body"]
    is_open = {path for path, methods in body["paths"].items() for method in methods.values() if "security" not in method}
    assert is_open == {"/health"}


def test_a_key_is_worth_what_the_usage_plan_says(stack, account):
    if "ApiKey" not in stack.wanted:
        assert "UsagePlanId" not in stack.outputs
        return
    gateway = account.client("apigateway")
    plan = gateway.get_usage_plan(usagePlanId=stack.outputs["UsagePlanId"])
    assert plan["apiStages"] == [{"apiId": stack.id_of("Api"), "stage": "v1"}]
    assert [key["id"] for key in gateway.get_usage_plan_keys(usagePlanId=plan["id"])["items"]] == [stack.outputs["ApiKeyId"]]


def test_a_bucket_is_encrypted_as_the_stage_says(stack, account):
    algorithm = "aws:kms" if "Key" in stack.wanted else "AES256"
    for output in ("ModelBucketName", "CandleBucketName", "ResultBucketName"):
        (rule,) = account.client("s3").get_bucket_encryption(Bucket=stack.outputs[output])["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == algorithm


def test_alarms_speak_to_the_topic_and_the_dashboard_can_be_read(stack, account):
    monitoring = stack.nested["Monitoring"]
    cloudwatch = account.client("cloudwatch")
    names = [monitoring.id_of(name) for name, resource in monitoring.wanted.items() if resource["Type"] == "AWS::CloudWatch::Alarm"]
    alarms = cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
    assert len(alarms) == len(names) > 3
    assert {action for alarm in alarms for action in alarm["AlarmActions"]} == {stack.outputs["AlarmTopicArn"]}
    assert json.loads(cloudwatch.get_dashboard(DashboardName=stack.name)["DashboardBody"])["widgets"]
