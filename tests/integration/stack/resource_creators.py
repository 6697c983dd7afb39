"""Creates resources of CloudFormation by the calls that moto's services support, and updates functions.

Each function in `CREATORS` takes the physical name and the properties of a resource; it returns the physical id and the attributes for
`Fn::GetAtt`.
"""

import json
from functools import cache

import boto3

from tests.integration.stack.calls import ACCOUNT, REGION

_client = cache(boto3.client)


def _by_one_call(service, operation, arguments, physical_id=None):
    """A function that creates a resource by a call with `arguments(name, properties)`. `physical_id` is a field of the response."""

    def create(name, properties):
        response = getattr(_client(service), operation)(**arguments(name, properties))
        return response[physical_id] if physical_id else name, {}

    return create


def _selected(properties, *names):
    return {name: properties[name] for name in names if name in properties}


def _stack(name, properties):
    stacks = _client("cloudformation")
    parameters = [{"ParameterKey": key, "ParameterValue": str(value)} for key, value in properties["Parameters"].items()]
    stack_id = stacks.create_stack(StackName=name, TemplateURL=properties["TemplateURL"], Parameters=parameters)["StackId"]
    (described,) = stacks.describe_stacks(StackName=stack_id)["Stacks"]
    return stack_id, {f"Outputs.{output['OutputKey']}": output["OutputValue"] for output in described["Outputs"]}


def _alarm(name, properties):
    _client("cloudwatch").put_metric_alarm(AlarmName=name, **properties)
    return name, {"Arn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"}


_FUNCTION = ("Architectures", "Code", "Description", "Environment", "EphemeralStorage", "LoggingConfig", "MemorySize")
_FUNCTION += ("PackageType", "Role", "Timeout", "TracingConfig")


def _function(name, properties):
    functions = _client("lambda")
    created = functions.create_function(FunctionName=name, **{key: properties[key] for key in _FUNCTION})
    if "ReservedConcurrentExecutions" in properties:
        reserved = properties["ReservedConcurrentExecutions"]
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
    return name, {"Arn": created["FunctionArn"]}


def _version(_, properties):
    version = _client("lambda").publish_version(FunctionName=properties["FunctionName"], Description=properties.get("Description", ""))
    return version["FunctionArn"], {"Version": version["Version"]}


def _rest_api(name, properties):
    gateway = _client("apigateway")
    body = properties["Body"]
    api = gateway.create_rest_api(
        name=properties.get("Name", body["info"]["title"]),
        description=properties.get("Description", ""),
        binaryMediaTypes=[kind.replace("~1", "/") for kind in properties["BinaryMediaTypes"]],
        endpointConfiguration={"types": properties["EndpointConfiguration"]["Types"]},
    )["id"]
    gateway.put_rest_api(restApiId=api, mode="overwrite", failOnWarnings=True, body=json.dumps(body))
    return api, {"RestApiId": api}


def _scaling_policy(name, properties):
    groups = _client("autoscaling")
    groups.put_scaling_policy(PolicyName=name, **properties)
    (policy,) = groups.describe_policies(AutoScalingGroupName=properties["AutoScalingGroupName"], PolicyNames=[name])["ScalingPolicies"]
    return policy["PolicyARN"], {}


def _scalable_target(name, properties):
    scaling = _client("application-autoscaling")
    target = {key: properties[key] for key in ("ServiceNamespace", "ScalableDimension", "ResourceId")}
    scaling.register_scalable_target(**target, MinCapacity=properties["MinCapacity"], MaxCapacity=properties["MaxCapacity"])
    for action in properties["ScheduledActions"]:
        scaling.put_scheduled_action(**target, **action)
    return name, {}


def _schedule(name, properties):
    """With the physical name of the resource, because CloudFormation generates one."""
    arn = _client("scheduler").create_schedule(Name=name, **properties)["ScheduleArn"]
    return name, {"Arn": arn}


def _event_bus(_, properties):
    return properties["Name"], {"Arn": _client("events").create_event_bus(Name=properties["Name"])["EventBusArn"]}


def _event_invoke_config(name, properties):
    _client("lambda").put_function_event_invoke_config(**{key: value for key, value in properties.items() if key != "Qualifier"})
    return name, {}


def _lower_camel_case(node):
    """The properties with names that begin with a lower-case letter, as in the APIs of CodeDeploy and API Gateway."""
    if isinstance(node, list):
        return [_lower_camel_case(item) for item in node]
    return {key[0].lower() + key[1:]: _lower_camel_case(value) for key, value in node.items()} if isinstance(node, dict) else node


def _bucket_policy(_, properties):
    """Not created: moto ignores the condition (no TLS) of its Deny statement and would deny every request."""
    return properties["Bucket"], {}


def _queue_policy(name, properties):
    for queue in properties["Queues"]:
        attributes = {"Policy": json.dumps(properties["PolicyDocument"])}
        _client("sqs").set_queue_attributes(QueueUrl=queue, Attributes=attributes)
    return name, {}


def _topic_policy(name, properties):
    for topic in properties["Topics"]:
        policy = json.dumps(properties["PolicyDocument"])
        _client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    return name, {}


def _update_function(name, properties):
    _client("lambda").update_function_configuration(FunctionName=name, **{key: properties[key] for key in ("Environment", "MemorySize")})


UPDATERS = {"AWS::Lambda::Function": _update_function}
"""Updates by type; other resources stay unchanged when a stack is updated."""
CREATORS = {
    "AWS::CloudFormation::Stack": _stack,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::Lambda::Function": _function,
    "AWS::Events::EventBus": _event_bus,
    "AWS::Lambda::EventInvokeConfig": _event_invoke_config,
    "AWS::Lambda::Permission": _by_one_call("lambda", "add_permission", lambda name, given: {"StatementId": name, **given}),
    "AWS::Lambda::Version": _version,
    "AWS::Lambda::Alias": _by_one_call(
        "lambda", "create_alias", lambda _, given: _selected(given, "FunctionName", "FunctionVersion", "Name"), "AliasArn"
    ),
    "AWS::ApiGateway::RestApi": _rest_api,
    "AWS::ApiGateway::Deployment": _by_one_call(
        "apigateway", "create_deployment", lambda _, given: {"restApiId": given["RestApiId"]}, "id"
    ),
    "AWS::ApiGateway::Stage": _by_one_call(
        "apigateway",
        "create_stage",
        lambda _, given: _lower_camel_case(_selected(given, "RestApiId", "StageName", "DeploymentId", "TracingEnabled")),
        "stageName",
    ),
    "AWS::ApiGateway::ApiKey": _by_one_call(
        "apigateway", "create_api_key", lambda name, given: {"name": name, "enabled": given["Enabled"]}, "id"
    ),
    "AWS::ApiGateway::UsagePlan": _by_one_call(
        "apigateway",
        "create_usage_plan",
        lambda name, given: {"name": name, **_lower_camel_case(_selected(given, "ApiStages", "Throttle", "Quota"))},
        "id",
    ),
    "AWS::ApiGateway::UsagePlanKey": _by_one_call(
        "apigateway",
        "create_usage_plan_key",
        lambda _, given: _lower_camel_case(_selected(given, "UsagePlanId", "KeyId", "KeyType")),
        "id",
    ),
    "AWS::ApiGateway::Account": _by_one_call(
        "apigateway",
        "update_account",
        lambda _, given: {"patchOperations": [{"op": "replace", "path": "/cloudwatchRoleArn", "value": given["CloudWatchRoleArn"]}]},
    ),
    "AWS::CodeDeploy::Application": _by_one_call(
        "codedeploy", "create_application", lambda name, given: {"applicationName": name, "computePlatform": given["ComputePlatform"]}
    ),
    "AWS::CodeDeploy::DeploymentGroup": _by_one_call(
        "codedeploy", "create_deployment_group", lambda name, given: {"deploymentGroupName": name, **_lower_camel_case(given)}
    ),
    "AWS::ApplicationAutoScaling::ScalableTarget": _scalable_target,
    "AWS::AutoScaling::ScalingPolicy": _scaling_policy,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::SNS::Subscription": _by_one_call(
        "sns",
        "subscribe",
        lambda _, given: {**_selected(given, "TopicArn", "Protocol", "Endpoint"), "ReturnSubscriptionArn": True},
        "SubscriptionArn",
    ),
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::Scheduler::Schedule": _schedule,
}
