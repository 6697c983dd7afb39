"""Resources that moto's CloudFormation does not make though its services do, or makes without what we need of them.

To import it is to have them made, each by the call to the service that CloudFormation would make.
"""

import json
import re
from functools import cache

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from moto.cloudformation import parsing  # before our classes: of two for a type moto takes the later one
from moto.cloudformation.exceptions import ValidationError
from moto.core.common_models import CloudFormationModel

from tests.integration.stack.calls import ACCOUNT, REGION

_client = cache(boto3.client)
_clean_json = parsing.clean_json


def _resolved(template, resources_map):
    """As CloudFormation has it, where moto does otherwise: `AWS::NoValue` leaves nothing in a list, and `Fn::Sub` reads a text once."""
    if isinstance(template, dict) and template.keys() == {"Fn::Sub"}:
        return _substituted(template["Fn::Sub"], resources_map)
    resolved = _clean_json(template, resources_map)
    return [item for item in resolved if item is not None] if isinstance(resolved, list) else resolved


def _substituted(told, resources_map):
    text, given = (told, {}) if isinstance(told, str) else told

    def value_of(found):
        name = found[1]
        if name.startswith("!"):
            return f"${{{name[1:]}}}"
        function = {"Fn::GetAtt": name.split(".", 1)} if "." in name else {"Ref": name}
        return str(_resolved(given.get(name, function), resources_map))

    return re.sub(r"\$\{([^}]+)\}", value_of, text)


parsing.clean_json = _resolved


class _Resource:
    """What was made: its `Ref`, and what `Fn::GetAtt` tells of it."""

    def __init__(self, physical_resource_id, attributes):
        self._id, self._attributes = physical_resource_id, attributes

    @property
    def physical_resource_id(self):
        return self._id

    @classmethod
    def has_cfn_attr(cls, attr):
        return True

    def get_cfn_attribute(self, attribute_name):
        return self._attributes[attribute_name]


def _stack(name, properties):
    stacks = _client("cloudformation")
    parameters = [{"ParameterKey": key, "ParameterValue": str(value)} for key, value in properties["Parameters"].items()]
    made = stacks.create_stack(StackName=name, TemplateURL=properties["TemplateURL"], Parameters=parameters)["StackId"]
    (described,) = stacks.describe_stacks(StackName=made)["Stacks"]
    return made, {f"Outputs.{output['OutputKey']}": output["OutputValue"] for output in described["Outputs"]}


def _alarm(name, properties):
    _client("cloudwatch").put_metric_alarm(AlarmName=name, **properties)
    return name, {"Arn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"}


_FUNCTION = ("Architectures", "Code", "Description", "Environment", "EphemeralStorage", "LoggingConfig", "MemorySize")
_FUNCTION += ("PackageType", "Role", "Timeout", "TracingConfig")


def _function(name, properties):
    functions = _client("lambda")
    made = functions.create_function(FunctionName=name, **{key: properties[key] for key in _FUNCTION})
    if "ReservedConcurrentExecutions" in properties:
        reserved = properties["ReservedConcurrentExecutions"]
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
    return name, {"Arn": made["FunctionArn"]}


def _permission(name, properties):
    _client("lambda").add_permission(StatementId=name, **properties)
    return name, {}


def _version(_, properties):
    made = _client("lambda").publish_version(FunctionName=properties["FunctionName"], Description=properties.get("Description", ""))
    return made["FunctionArn"], {"Version": made["Version"]}


def _alias(_, properties):
    asked = {key: properties[key] for key in ("FunctionName", "FunctionVersion", "Name")}
    return _client("lambda").create_alias(**asked)["AliasArn"], {}


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
    asked = {"restApiId": "RestApiId", "stageName": "StageName", "deploymentId": "DeploymentId", "tracingEnabled": "TracingEnabled"}
    _client("apigateway").create_stage(**{theirs: properties[ours] for theirs, ours in asked.items() if ours in properties})
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
    asked = {"usagePlanId": properties["UsagePlanId"], "keyId": properties["KeyId"], "keyType": properties["KeyType"]}
    return _client("apigateway").create_usage_plan_key(**asked)["id"], {}


def _scaling_policy(name, properties):
    groups = _client("autoscaling")
    groups.put_scaling_policy(PolicyName=name, **properties)
    (made,) = groups.describe_policies(AutoScalingGroupName=properties["AutoScalingGroupName"], PolicyNames=[name])["ScalingPolicies"]
    return made["PolicyARN"], {}


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
    _client("codedeploy").create_deployment_group(deploymentGroupName=name, **_lowered(properties))
    return name, {}


def _lowered(node):
    """With names as CodeDeploy has them, which begin with a small letter."""
    if isinstance(node, list):
        return [_lowered(item) for item in node]
    return {key[0].lower() + key[1:]: _lowered(value) for key, value in node.items()} if isinstance(node, dict) else node


def _bucket_policy(_, properties):
    """In name only: moto would refuse everything, since it reads what a statement denies and not its condition (no TLS)."""
    return properties["Bucket"], {}


def _queue_policy(name, properties):
    for queue in properties["Queues"]:
        attributes = {"Policy": json.dumps(properties["PolicyDocument"])}
        _client("sqs").set_queue_attributes(QueueUrl=queue, Attributes=attributes)
    return name, {}


def _subscription(_, properties):
    asked = {key: properties[key] for key in ("TopicArn", "Protocol", "Endpoint")}
    return _client("sns").subscribe(**asked, ReturnSubscriptionArn=True)["SubscriptionArn"], {}


def _topic_policy(name, properties):
    for topic in properties["Topics"]:
        policy = json.dumps(properties["PolicyDocument"])
        _client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    return name, {}


def _change_function(name, properties):
    _client("lambda").update_function_configuration(FunctionName=name, **{key: properties[key] for key in ("Environment", "MemorySize")})


_CHANGERS = {"AWS::Lambda::Function": _change_function}
"""By type, what a stack's update does; other resources of ours stay as they are."""
_MAKERS = {
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


def _teach(kind, make):
    """moto finds the classes of its resources by asking for the subclasses of one."""

    def create(cls, resource_name, cloudformation_json, account_id, region_name, LogicalId, **_):
        try:
            return cls(*make(resource_name, cloudformation_json["Properties"]))
        except (BotoCoreError, ClientError, KeyError) as error:
            raise ValidationError(message=f"{LogicalId} ({kind}) cannot be made: {error!r}") from error

    def update(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
        if kind in _CHANGERS:
            _CHANGERS[kind](original_resource.physical_resource_id, cloudformation_json["Properties"])
        return original_resource

    members = {
        "__module__": __name__,
        "cloudformation_type": staticmethod(lambda: kind),
        "cloudformation_name_type": staticmethod(lambda: ""),
        "create_from_cloudformation_json": classmethod(create),
        "update_from_cloudformation_json": classmethod(update),
        "delete_from_cloudformation_json": classmethod(lambda cls, *_: None),
    }
    return type(kind.rpartition(":")[2], (_Resource, CloudFormationModel), members)


_moto_has = {model.cloudformation_type() for model in CloudFormationModel.__subclasses__()}
LACKING, REPLACED = _MAKERS.keys() - _moto_has, _MAKERS.keys() & _moto_has
"""Types that moto does not make, and such that it makes otherwise than we need."""

_taught = [_teach(kind, make) for kind, make in _MAKERS.items()]  # kept, since moto knows its subclasses only as long as they live
