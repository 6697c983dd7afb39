"""Creates resources of CloudFormation by the calls that moto's services support, and updates functions.

Each function in `CREATORS` takes the physical name and the properties of a resource; it returns the physical id and the attributes for
`Fn::GetAtt`.
"""

import json
from functools import cache

import boto3

from tests.integration.stack.calls import ACCOUNT, REGION

_client = cache(boto3.client)


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


def _permission(name, properties):
    _client("lambda").add_permission(StatementId=name, **properties)
    return name, {}


def _version(_, properties):
    version = _client("lambda").publish_version(FunctionName=properties["FunctionName"], Description=properties.get("Description", ""))
    return version["FunctionArn"], {"Version": version["Version"]}


def _alias(_, properties):
    arguments = {key: properties[key] for key in ("FunctionName", "FunctionVersion", "Name")}
    return _client("lambda").create_alias(**arguments)["AliasArn"], {}


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


def _deployment(_, properties):
    return _client("apigateway").create_deployment(restApiId=properties["RestApiId"])["id"], {}


def _stage(_, properties):
    names = {"restApiId": "RestApiId", "stageName": "StageName", "deploymentId": "DeploymentId", "tracingEnabled": "TracingEnabled"}
    _client("apigateway").create_stage(**{name: properties[key] for name, key in names.items() if key in properties})
    return properties["StageName"], {}


def _api_key(name, properties):
    return _client("apigateway").create_api_key(name=name, enabled=properties["Enabled"])["id"], {}


def _usage_plan(name, properties):
    throttle, quota = properties["Throttle"], properties["Quota"]
    plan = _client("apigateway").create_usage_plan(
        name=name,
        apiStages=[{"apiId": stage["ApiId"], "stage": stage["Stage"]} for stage in properties["ApiStages"]],
        throttle={"rateLimit": throttle["RateLimit"], "burstLimit": throttle["BurstLimit"]},
        quota={"limit": quota["Limit"], "period": quota["Period"]},
    )
    return plan["id"], {}


def _usage_plan_key(_, properties):
    arguments = {"usagePlanId": properties["UsagePlanId"], "keyId": properties["KeyId"], "keyType": properties["KeyType"]}
    return _client("apigateway").create_usage_plan_key(**arguments)["id"], {}


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


def _account(name, properties):
    operation = {"op": "replace", "path": "/cloudwatchRoleArn", "value": properties["CloudWatchRoleArn"]}
    _client("apigateway").update_account(patchOperations=[operation])
    return name, {}


def _application(name, properties):
    _client("codedeploy").create_application(applicationName=name, computePlatform=properties["ComputePlatform"])
    return name, {}


def _deployment_group(name, properties):
    _client("codedeploy").create_deployment_group(deploymentGroupName=name, **_lower_camel_case(properties))
    return name, {}


def _lower_camel_case(node):
    """The properties with the names of CodeDeploy's API, which begin with a lower-case letter."""
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


def _subscription(_, properties):
    arguments = {key: properties[key] for key in ("TopicArn", "Protocol", "Endpoint")}
    return _client("sns").subscribe(**arguments, ReturnSubscriptionArn=True)["SubscriptionArn"], {}


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
    "AWS::Lambda::Permission": _permission,
    "AWS::Lambda::Version": _version,
    "AWS::Lambda::Alias": _alias,
    "AWS::ApiGateway::RestApi": _rest_api,
    "AWS::ApiGateway::Deployment": _deployment,
    "AWS::ApiGateway::Stage": _stage,
    "AWS::ApiGateway::ApiKey": _api_key,
    "AWS::ApiGateway::UsagePlan": _usage_plan,
    "AWS::ApiGateway::UsagePlanKey": _usage_plan_key,
    "AWS::CodeDeploy::Application": _application,
    "AWS::CodeDeploy::DeploymentGroup": _deployment_group,
    "AWS::ApplicationAutoScaling::ScalableTarget": _scalable_target,
    "AWS::AutoScaling::ScalingPolicy": _scaling_policy,
    "AWS::ApiGateway::Account": _account,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::TopicPolicy": _topic_policy,
}
