"""The stack that template.yaml describes, as CloudFormation makes it."""

import copy
import json
import re
import tomllib
from itertools import count
from types import SimpleNamespace

import pytest
from cfnlint.api import ManualArgs, lint, lint_file
from cfnlint.decode import cfn_yaml
from jsonschema import Draft4Validator
from openapi_spec_validator import OpenAPIV30SpecValidator

from handler import schemas
from tests.support.expanded_template import ROOT, TEMPLATE, broken_rules, expanded, stack, transformed

SOURCE = {name: resource["Properties"] for name, resource in TEMPLATE["Resources"].items()}
PARAMETERS = TEMPLATE["Parameters"]
KEYS = {"AwsManaged": {}, "CustomerKey": {"Encryption": "CustomerKey"}}
FLEET = {"FleetRepository": "coinfarm", "FleetVpc": "vpc-1", "FleetSubnets": "subnet-1"}
BUCKETS = ("ModelBucket", "CandleBucket", "ResultBucket")
STAGES = ("dev", "prod")


def properties(name, **parameters):
    return stack(**parameters)[name]["Properties"]


def of_type(kind, **parameters):
    return {name: resource["Properties"] for name, resource in stack(**parameters).items() if resource["Type"] == kind}


def arn(name):
    return {"Fn::GetAtt": [name, "Arn"]}


# --- The file ---------------------------------------------------------------------------------------------------------


def test_cfn_lint_finds_nothing():
    assert lint_file(ROOT / "template.yaml") == []


def test_cfn_lint_finds_nothing_in_what_the_transform_makes_of_it():
    assert lint(json.dumps(expanded()), config=ManualArgs(regions=["us-east-1"])) == []


@pytest.mark.parametrize("section", ["Parameters", "Outputs"])
def test_each_entry_is_described(section):
    assert all(entry["Description"] for entry in TEMPLATE[section].values())


def test_the_form_asks_for_each_parameter_once_under_a_heading_and_by_a_label():
    form = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]
    asked = [name for group in form["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(asked) == sorted(PARAMETERS)
    assert form["ParameterLabels"].keys() == PARAMETERS.keys()


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        pytest.param({}, [], id="the defaults"),
        pytest.param({"FleetRepository": "coinfarm"}, ["A fleet (FleetRepository) needs FleetVpc and FleetSubnets."], id="a fleet nowhere"),
        pytest.param(FLEET, [], id="a fleet"),
        pytest.param(
            {"ProvisionedConcurrency": "5", "ProvisionedFrom": "cron(45 8 ? * MON-FRI *)"},
            ["Give both ProvisionedFrom and ProvisionedTo, or neither."],
            id="a morning without an evening",
        ),
        pytest.param(
            {"ProvisionedFrom": "cron(45 8 ? * MON-FRI *)", "ProvisionedTo": "cron(0 18 ? * MON-FRI *)"},
            ["A schedule (ProvisionedFrom) needs ProvisionedConcurrency."],
            id="a schedule of nothing",
        ),
    ],
)
def test_a_combination_that_makes_no_sense_is_refused(parameters, said):
    assert broken_rules(**parameters) == said


# --- Stages -------------------------------------------------------------------------------------------------------------


def deploy_parameters(stage):
    return tomllib.loads((ROOT / "samconfig.toml").read_text())[stage]["deploy"]["parameters"]


def overrides(stage):
    return dict(each.split("=", 1) for each in deploy_parameters(stage)["parameter_overrides"])


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_gives_parameters_that_the_template_takes(stage):
    for name, value in overrides(stage).items():
        parameter = PARAMETERS[name]
        assert value in map(str, parameter.get("AllowedValues", [value]))
        assert re.fullmatch(parameter.get("AllowedPattern", ".*"), value)
        assert parameter["Type"] != "Number" or parameter.get("MinValue", 0) <= int(value) <= parameter.get("MaxValue", int(value))
        assert value != str(parameter["Default"]) or name == "AccessLogs", "a default need not be given"
    assert broken_rules(**overrides(stage)) == []


@pytest.mark.parametrize("stage", ["default", *STAGES])
def test_a_stage_may_make_what_the_template_holds(stage):
    assert deploy_parameters(stage)["capabilities"] == ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    assert not any("RoleName" in role for role in of_type("AWS::IAM::Role").values()), "named ones want CAPABILITY_NAMED_IAM"


def test_production_moves_slowly_and_keeps_its_own_key():
    prod = overrides("prod")
    assert prod["Deployment"].startswith("Canary")
    assert (prod["Encryption"], prod["AccessLogs"]) == ("CustomerKey", "On")


# --- sam local ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["env.json", "env-s3.json"])
def test_an_environment_file_sets_only_variables_that_sam_local_passes_on(file):
    declared = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    for function, variables in json.loads((ROOT / "events" / file).read_text()).items():
        assert TEMPLATE["Resources"][function]["Type"] == "AWS::Serverless::Function"
        assert variables.keys() <= declared.keys()


def test_the_variable_for_a_local_s3_is_not_deployed():
    for function in of_type("AWS::Lambda::Function").values():
        assert "AWS_ENDPOINT_URL_S3" not in function["Environment"]["Variables"]


# --- Functions, versions, deployments --------------------------------------------------------------------------------------


def test_the_api_function_ends_when_api_gateway_stops_waiting():
    assert properties("ApiFunction")["Timeout"] <= 29


def test_a_message_stays_hidden_for_six_timeouts_and_the_window():
    visibility_timeout_s = properties("Queue")["VisibilityTimeout"]
    assert visibility_timeout_s >= 6 * properties("BatchFunction")["Timeout"] + properties("BatchEvents")["MaximumBatchingWindowInSeconds"]


def test_only_the_records_that_failed_come_back():
    assert properties("BatchEvents")["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_a_backfill_neither_costs_nor_takes_more_than_a_parameter_allows():
    assert properties("BatchEvents", BatchConcurrency="7")["ScalingConfig"] == {"MaximumConcurrency": "7"}
    assert properties("ApiFunction", ApiConcurrency="5")["ReservedConcurrentExecutions"] == "5"
    assert "ReservedConcurrentExecutions" not in properties("ApiFunction", ApiConcurrency="0")


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_both_functions_run_on_the_processor_that_is_asked_for(architecture):
    functions = of_type("AWS::Lambda::Function", Architecture=architecture)
    assert [function["Architectures"] for function in functions.values()] == [[architecture]] * 2


def test_whatever_invokes_a_function_goes_by_its_alias():
    assert properties("BatchEvents")["FunctionName"] == {"Ref": "BatchFunctionAliaslive"}
    assert properties("ApiPermission")["FunctionName"] == {"Ref": "ApiFunctionAliaslive"}
    assert expanded()["Outputs"]["ApiFunctionAlias"]["Value"] == {"Ref": "ApiFunctionAliaslive"}
    assert {alias["Name"] for alias in of_type("AWS::Lambda::Alias").values()} == {"live"}


@pytest.mark.parametrize("function", ["ApiFunction", "BatchFunction"])
def test_a_parameter_that_reaches_a_function_makes_a_version(function):
    """A version is replaced when its description changes; without it, the alias would go on serving the old values."""
    [version] = [each for name, each in of_type("AWS::Lambda::Version").items() if name.startswith(function)]
    named = set(re.findall(r"\$\{(\w+)\}", version["Description"]["Fn::Sub"]))
    made_by_default = transformed_function(function)
    reaching = {
        name for name in PARAMETERS if name not in FLEET and transformed_function(function, **{name: other_value(name)}) != made_by_default
    }
    assert named == reaching - {"ApiConcurrency"}, "reserved concurrency is the function's, not a version's"


def transformed_function(function, **parameters):
    return substituted(properties(function, **parameters), parameters)


def substituted(node, parameters):
    """With the values of parameters in what `Fn::Sub` says."""
    text = json.dumps(node)
    for name, value in parameters.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def other_value(name):
    parameter = PARAMETERS[name]
    choices = [str(value) for value in parameter.get("AllowedValues", ()) if str(value) != str(parameter["Default"])]
    if choices:
        return choices[0]
    return str(parameter["Default"] + 1) if parameter["Type"] == "Number" else "other"


def test_any_change_of_a_function_in_the_file_makes_a_version():
    changed = copy.deepcopy(TEMPLATE)
    changed["Resources"]["BatchFunction"]["Properties"]["Timeout"] = 600
    before, after = (
        {name for name, resource in template["Resources"].items() if resource["Type"] == "AWS::Lambda::Version"}
        for template in (expanded(), transformed(changed))
    )
    [gone], [new] = before - after, after - before
    assert gone.startswith("BatchFunctionVersion")
    assert new.startswith("BatchFunctionVersion")


@pytest.mark.parametrize(
    ("function", "alarms"),
    [
        pytest.param("ApiFunction", ["NewApiVersionFails", "NewApiVersionIsSlow", "ApiFails"], id="API"),
        pytest.param("BatchFunction", ["NewBatchVersionFails"], id="queue"),
    ],
)
def test_a_deployment_moves_slowly_where_asked_to_and_is_rolled_back_by_its_alarms(function, alarms):
    made = stack(Deployment="Canary10Percent5Minutes")
    group = made[f"{function}DeploymentGroup"]["Properties"]
    assert group["DeploymentConfigName"]["Fn::Sub"] == ["CodeDeployDefault.Lambda${ConfigName}", {"ConfigName": "Canary10Percent5Minutes"}]
    assert group["AlarmConfiguration"] == {"Enabled": True, "Alarms": [{"Name": {"Ref": alarm}} for alarm in alarms]}
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    policy = made[f"{function}Aliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
    assert policy["DeploymentGroupName"] == {"Ref": f"{function}DeploymentGroup"}


@pytest.mark.parametrize("function", ["ApiFunction", "BatchFunction"])
def test_an_alarm_that_rings_already_does_not_keep_out_what_mends_it(function):
    assert properties(f"{function}DeploymentGroup", Deployment="AllAtOnce")["AlarmConfiguration"] == {}


@pytest.mark.parametrize("alarm", ["NewApiVersionFails", "NewApiVersionIsSlow", "NewBatchVersionFails"])
def test_an_alarm_that_rolls_back_looks_at_the_new_version_alone(alarm):
    function = "BatchFunction" if "Batch" in alarm else "ApiFunction"
    dimensions = {each["Name"]: each["Value"] for each in properties(alarm)["Dimensions"]}
    assert dimensions.keys() == {"FunctionName", "Resource", "ExecutedVersion"}
    assert dimensions["FunctionName"] == {"Ref": function}
    assert dimensions["Resource"] == {"Fn::Sub": f"${{{function}}}:live"}
    assert dimensions["ExecutedVersion"] == properties(f"{function}Aliaslive")["FunctionVersion"]


def test_the_alarm_of_failed_answers_goes_by_the_name_and_the_stage_of_the_api():
    assert properties("ApiFails")["Dimensions"] == [
        {"Name": "ApiName", "Value": properties("Api")["Name"]},
        {"Name": "Stage", "Value": properties("Apiv1Stage")["StageName"]},
    ]


ALWAYS = {"ProvisionedConcurrency": "5"}
BY_THE_CLOCK = {**ALWAYS, "ProvisionedFrom": "cron(45 8 ? * MON-FRI *)", "ProvisionedTo": "cron(0 18 ? * MON-FRI *)"}


def test_no_function_is_kept_warm_unless_it_is_asked_for():
    assert "ProvisionedConcurrencyConfig" not in properties("ApiFunctionAliaslive")
    assert "ApiCapacity" not in stack()


def test_functions_are_kept_warm_always():
    assert properties("ApiFunctionAliaslive", **ALWAYS)["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": "5"}
    assert "ApiCapacity" not in stack(**ALWAYS)


def test_functions_are_kept_warm_by_the_clock():
    made = stack(**BY_THE_CLOCK, ProvisionedTimeZone="America/New_York")
    assert "ProvisionedConcurrencyConfig" not in made["ApiFunctionAliaslive"]["Properties"], "each deployment would undo what the clock did"
    capacity = made["ApiCapacity"]
    assert capacity["DependsOn"] == "ApiFunctionAliaslive"
    assert capacity["Properties"]["ResourceId"] == {"Fn::Sub": "function:${ApiFunction}:live"}
    assert [
        (action["Schedule"], action["Timezone"], action["ScalableTargetAction"]) for action in capacity["Properties"]["ScheduledActions"]
    ] == [
        ("cron(45 8 ? * MON-FRI *)", "America/New_York", {"MinCapacity": "5", "MaxCapacity": "5"}),
        ("cron(0 18 ? * MON-FRI *)", "America/New_York", {"MinCapacity": 0, "MaxCapacity": 0}),
    ]


# --- REST API ------------------------------------------------------------------------------------------------------------


def operations(**parameters):
    paths = properties("Api", **parameters)["Body"]["paths"]
    return {f"{method.upper()} {path}": operation for path, methods in paths.items() for method, operation in methods.items()}


OPERATIONS = operations()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_reaches_the_functions_alias(operation):
    integration = OPERATIONS[operation]["x-amazon-apigateway-integration"]
    assert integration["type"] == "aws_proxy"
    assert integration["httpMethod"] == "POST", "Lambda is invoked by POST, whatever the client sends"
    assert integration["uri"]["Fn::Sub"].endswith("/functions/${ApiFunction.Arn}:live/invocations")


@pytest.mark.parametrize(("auth", "scheme"), [("ApiKey", "apiKey"), ("Iam", "sigv4")])
def test_every_operation_but_health_asks_for_a_key_or_a_signature(auth, scheme):
    asked = {name: operation.get("security") for name, operation in operations(ApiAuth=auth).items()}
    assert asked.pop("GET /health") is None
    assert asked.keys() >= {"POST /predictions", "POST /frames", "GET /model", "GET /ready", "GET /docs", "GET /openapi.json"}
    assert all(security == [{scheme: []}] for security in asked.values()), asked


@pytest.mark.parametrize("auth", ["ApiKey", "Iam"])
def test_what_api_gateway_gets_is_valid_openapi(auth):
    body = properties("Api", ApiAuth=auth)["Body"]
    body["info"]["title"] = "coinfarm"
    for methods in body["paths"].values():
        for operation in methods.values():
            integration = operation["x-amazon-apigateway-integration"]
            integration["uri"] = integration["uri"]["Fn::Sub"]
    assert "Fn::" not in json.dumps(body)
    OpenAPIV30SpecValidator(body).validate()


def test_api_gateway_knows_a_key_by_its_header_and_a_signature_by_its_kind():
    body = properties("Api")["Body"]
    schemes = body["components"]["securitySchemes"]
    assert (schemes["apiKey"]["in"], schemes["apiKey"]["name"], body["x-amazon-apigateway-api-key-source"]) == (
        "header",
        "x-api-key",
        "HEADER",
    )
    assert schemes["sigv4"]["x-amazon-apigateway-authtype"] == "awsSigv4"


def test_a_key_may_ask_so_much_and_no_more():
    made = stack(KeyRate="3", KeyBurst="4", KeyMonthlyQuota="500")
    plan = made["UsagePlan"]["Properties"]
    assert plan["ApiStages"] == [{"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Apiv1Stage"}}]
    assert plan["Throttle"] == {"RateLimit": "3", "BurstLimit": "4"}
    assert plan["Quota"] == {"Limit": "500", "Period": "MONTH"}
    assert made["UsagePlanKey"]["Properties"]["KeyId"] == {"Ref": "ApiKey"}


def test_there_are_no_keys_where_requests_are_signed():
    assert not stack(ApiAuth="Iam").keys() & {"ApiKey", "UsagePlan", "UsagePlanKey"}


def test_all_callers_together_are_throttled_and_counted_and_their_bodies_not_logged():
    [settings] = properties("Apiv1Stage", ApiRate="7", ApiBurst="9")["MethodSettings"]
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == ("7", "9")
    assert settings["MetricsEnabled"] is True
    assert settings["DataTraceEnabled"] is False


def test_another_way_to_prove_who_one_is_reaches_the_stage(monkeypatch):
    """A stage serves a deployment, and the transform would make the same one of the same file, whatever ApiAuth is."""
    clock = count(1)
    monkeypatch.setattr("samtranslator.model.apigateway.time", SimpleNamespace(time=lambda: next(clock)))
    first, second = (transformed(TEMPLATE)["Resources"]["Apiv1Stage"]["Properties"]["DeploymentId"] for _ in range(2))
    assert first != second


def test_a_firewall_stands_before_the_stage_where_there_is_one():
    acl = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/wall/1"
    firewall = properties("Firewall", WebAclArn=acl)
    assert firewall["WebACLArn"] == acl
    assert firewall["ResourceArn"]["Fn::Sub"].endswith("::/restapis/${Api}/stages/${Apiv1Stage}")
    assert "Firewall" not in stack()


MODEL = properties("Api")["Body"]["components"]["schemas"]["PredictionRequest"]


@pytest.mark.parametrize("operation", ["POST /predictions", "POST /frames"])
def test_api_gateway_validates_json_and_lets_other_bodies_pass(operation):
    body = properties("Api")["Body"]
    assert body["x-amazon-apigateway-request-validators"][body["x-amazon-apigateway-request-validator"]] == {
        "validateRequestBody": True,
        "validateRequestParameters": True,
    }
    assert OPERATIONS[operation]["requestBody"] == {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PredictionRequest"}}},
    }, "with a model for application/x-npz, it would have to be JSON"


REQUEST = {"symbol": "BTCUSD", "interval": "1m", "candles": [[1557792000000, "7770.7", "7770.7", "7744.7", "7760.2", "16.84"]]}


@pytest.mark.parametrize(
    "request_document",
    [
        pytest.param(REQUEST, id="klines"),
        pytest.param({**REQUEST, "candles": [{"openTime": 1, "open": 1, "high": 1, "low": 1, "close": 1, "volume": 0}]}, id="objects"),
        pytest.param({**REQUEST, "candles": []}, id="no candle, at which the handler points"),
        pytest.param({**REQUEST, "candles": [17]}, id="a candle that is none, at which the handler points"),
        pytest.param({**REQUEST, "symbol": "?"}, id="a symbol that is none, at which the handler points"),
        pytest.param({**REQUEST, "stride": "2"}, id="a number as a string, which the handler takes"),
        pytest.param({**REQUEST, "modelVersion": None}, id="null"),
        pytest.param({**REQUEST, "other": 1}, id="an unknown field, at which the handler points"),
    ],
)
def test_api_gateway_leaves_to_the_handler_what_it_takes_or_points_at(request_document):
    Draft4Validator(MODEL).validate(request_document)


@pytest.mark.parametrize(
    "request_document",
    [
        pytest.param([REQUEST], id="an array"),
        pytest.param({**REQUEST, "candles": "[]"}, id="candles as a string"),
        pytest.param({**REQUEST, "symbol": 1}, id="a symbol that is a number"),
        *(pytest.param({each: REQUEST[each] for each in REQUEST if each != name}, id=f"no {name}") for name in REQUEST),
    ],
)
def test_api_gateway_refuses_what_is_no_request(request_document):
    assert not Draft4Validator(MODEL).is_valid(request_document)


def words(node):
    """The keys of a schema and of those within it."""
    if not isinstance(node, dict):
        return set()
    nested = [words(each) for each in node.get("properties", {}).values()] + [words(node.get("items"))]
    return set(node).union(*nested)


def test_api_gateways_model_is_in_words_that_it_knows():
    """Of draft 4; `minItems` and `maxItems` it would leave out."""
    assert words(MODEL) <= {"type", "required", "properties", "items", "enum", "pattern", "minLength", "maxLength"}


GATEWAY_RESPONSES = properties("Api")["Body"]["x-amazon-apigateway-gateway-responses"]


@pytest.mark.parametrize("kind", GATEWAY_RESPONSES)
def test_what_api_gateway_refuses_is_a_problem_document(kind):
    response = GATEWAY_RESPONSES[kind]
    assert response["responseParameters"]["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
    document = json.loads(response["responseTemplates"]["application/json"])
    assert schemas.Problem.model_validate(document, extra="forbid").status == int(response["statusCode"])
    assert re.fullmatch(r"urn:coinfarm:problem:[A-Z]\w+", document["type"])


def test_api_gateway_refuses_nothing_in_words_of_its_own():
    asked_for = {"BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS", "UNAUTHORIZED", "ACCESS_DENIED", "INVALID_API_KEY", "THROTTLED"}
    assert asked_for | {"QUOTA_EXCEEDED", "INTEGRATION_TIMEOUT", "INTEGRATION_FAILURE"} <= GATEWAY_RESPONSES.keys()
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= GATEWAY_RESPONSES.keys(), "which stand in for the others"


def nulls(node, pointer=""):
    if node is None:
        return [pointer]
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [found for key, child in children for found in nulls(child, f"{pointer}/{key}")]


def test_cloudformation_can_include_the_document():
    """It takes no null, and API Gateway no model whose name is other than alphanumeric."""
    document = json.loads((ROOT / "handler/api_gateway.json").read_text())
    assert nulls(document) == []
    assert all(name.isalnum() for name in document["components"]["schemas"])


def test_bytes_go_in_and_come_out_as_they_are():
    assert properties("Api")["Body"]["x-amazon-apigateway-binary-media-types"] == ["application/x-npz", "image/png"]


def test_each_request_is_logged_in_json():
    setting = properties("Apiv1Stage", AccessLogs="On")["AccessLogSetting"]
    assert setting["DestinationArn"] == arn("AccessLogGroup")
    line = re.sub(r"\$context\.requestTimeEpoch", "1767225600000", setting["Format"])
    logged = json.loads(line)
    assert {"requestId", "latencyMs", "status", "apiKeyId", "integrationError"} <= logged.keys()
    assert "\n" not in line


def test_no_request_is_logged_where_nobody_wants_it():
    made = stack(AccessLogs="Off")
    assert not made.keys() & {"AccessLogGroup", "ApiGatewayAccount", "ApiGatewayRole"}
    stage = made["Apiv1Stage"]["Properties"]
    assert "AccessLogSetting" not in stage
    assert stage["MethodSettings"][0]["LoggingLevel"] == "OFF"


def test_the_accounts_role_is_left_alone_unless_it_is_asked_for():
    assert not stack(AccessLogs="On").keys() & {"ApiGatewayAccount", "ApiGatewayRole"}


def test_the_accounts_role_is_made_before_the_stage_that_needs_it_and_stays():
    made = stack(AccessLogs="OnWithAccountRole")
    assert made["Apiv1Stage"]["Properties"]["Variables"] == {"LogsThrough": {"Ref": "ApiGatewayAccount"}}
    assert made["ApiGatewayRole"]["DeletionPolicy"] == "Retain"


# --- Who may do what -----------------------------------------------------------------------------------------------------


def statements(role, **parameters):
    [policy] = properties(role, **parameters)["Policies"]
    return {statement["Sid"]: statement for statement in policy["PolicyDocument"]["Statement"]}


def allowed(role, **parameters):
    """Actions and resources by statement."""
    found = {}
    for name, statement in statements(role, **parameters).items():
        assert statement["Effect"] == "Allow"
        actions, resources = (each if isinstance(each, list) else [each] for each in (statement["Action"], statement["Resource"]))
        found[name] = (set(actions), resources)
    return found


WRITE_LOGS = ({"logs:CreateLogStream", "logs:PutLogEvents"}, [arn("LogGroup")])
READ_MODELS = ({"s3:GetObject"}, [{"Fn::Sub": "${ModelBucket.Arn}/models/*"}])


def test_the_api_reads_models_and_nothing_else():
    assert allowed("ApiRole") == {
        "WriteLogs": WRITE_LOGS,
        "ReadModels": READ_MODELS,
        "ListBuckets": ({"s3:ListBucket"}, [arn("ModelBucket")]),
    }


def test_the_batch_function_reads_models_and_candles_and_writes_results():
    assert allowed("BatchRole") == {
        "WriteLogs": WRITE_LOGS,
        "ReadModels": READ_MODELS,
        "ReadCandles": ({"s3:GetObject"}, [{"Fn::Sub": "${CandleBucket.Arn}/*"}]),
        "WriteResults": ({"s3:GetObject", "s3:PutObject"}, [{"Fn::Sub": "${ResultBucket.Arn}/*"}]),
        "ListBuckets": ({"s3:ListBucket"}, [arn("ModelBucket"), arn("CandleBucket"), arn("ResultBucket")]),
        "ConsumeQueue": ({"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}, [arn("Queue")]),
    }


@pytest.mark.parametrize(("role", "function"), [("ApiRole", "ApiFunction"), ("BatchRole", "BatchFunction")])
def test_each_function_has_a_role_of_its_own(role, function):
    assert properties(function)["Role"] == arn(role)
    assert "ManagedPolicyArns" not in properties(role), "which would let it write to any log"


@pytest.mark.parametrize("role", ["ApiRole", "BatchRole"])
def test_traces_are_written_where_they_are_asked_for(role):
    assert "WriteTraces" not in statements(role)
    assert statements(role, Tracing="Active")["WriteTraces"]["Action"] == ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]


@pytest.mark.parametrize("role", ["ApiRole", "BatchRole", "DeploymentRole"])
def test_only_what_cannot_name_a_resource_is_allowed_on_all(role):
    everywhere = {
        action
        for actions, resources in allowed(role, Tracing="Active", **KEYS["CustomerKey"]).values()
        if "*" in resources
        for action in actions
    }
    assert everywhere <= {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "cloudwatch:DescribeAlarms"}


def test_the_transform_adds_no_role_of_its_own():
    assert of_type("AWS::IAM::Role").keys() == {"ApiRole", "BatchRole", "DeploymentRole"}


def test_an_operator_reaches_the_fleets_queues_where_there_is_a_fleet():
    def queues(**parameters):
        document = properties("OperatorPolicy", **parameters)["PolicyDocument"]
        [statement] = [each for each in document["Statement"] if each["Sid"] == "SubmitAndRedrive"]
        return statement["Resource"]

    here = [arn("Queue"), arn("DeadLetterQueue")]
    assert queues() == here
    fleets = [each["Fn::Sub"].rpartition(":")[2] for each in queues(**FLEET)[2:]]
    assert fleets == ["${Fleet.Outputs.QueueName}", "${Fleet.Outputs.DeadLetterQueueName}"]


# --- Queues, buckets, keys -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_is_private_versioned_and_stays_when_the_stack_goes(bucket):
    resource = stack()[bucket]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert resource["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(resource["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert resource["Properties"]["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_refuses_what_comes_without_tls(bucket):
    policy = properties(f"{bucket}Policy")
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Resource"] == [arn(bucket), {"Fn::Sub": f"${{{bucket}.Arn}}/*"}]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert policy["Bucket"] == {"Ref": bucket}


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_forgets_what_was_overwritten_and_what_was_never_finished(bucket):
    rules = properties(bucket)["LifecycleConfiguration"]["Rules"]
    assert all(rule["Status"] == "Enabled" for rule in rules)
    assert any(rule.get("AbortIncompleteMultipartUpload") for rule in rules)
    assert any(rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays", 0) >= 30 for rule in rules)
    assert not any(rule.get("ExpirationInDays") for rule in rules), "what is current stays"


@pytest.mark.parametrize("bucket", ["CandleBucket", "ResultBucket"])
def test_what_nobody_reads_any_more_grows_cheaper(bucket):
    transitions = [each for rule in properties(bucket)["LifecycleConfiguration"]["Rules"] for each in rule.get("Transitions", ())]
    assert transitions == [{"StorageClass": "INTELLIGENT_TIERING", "TransitionInDays": 30}]


def test_access_to_buckets_is_logged_where_there_is_a_bucket_for_it():
    assert not any("LoggingConfiguration" in properties(bucket) for bucket in BUCKETS)
    logged = [properties(bucket, BucketLogs="logs")["LoggingConfiguration"] for bucket in BUCKETS]
    assert {each["DestinationBucketName"] for each in logged} == {"logs"}
    assert len({each["LogFilePrefix"] for each in logged}) == 3


def test_all_is_encrypted_without_a_key_of_ones_own():
    assert "Key" not in stack()
    for bucket in BUCKETS:
        [rule] = properties(bucket)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    for queue in of_type("AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True
        assert "KmsMasterKeyId" not in queue


def test_all_is_encrypted_with_a_key_of_ones_own():
    made = stack(**KEYS["CustomerKey"], **FLEET, AccessLogs="On")
    for bucket in BUCKETS:
        [rule] = made[bucket]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn("Key")}
        assert rule["BucketKeyEnabled"] is True
    for queue in ("Queue", "DeadLetterQueue"):
        assert made[queue]["Properties"]["KmsMasterKeyId"] == arn("Key")
        assert made[queue]["Properties"]["SqsManagedSseEnabled"] is False, "SQS takes one or the other"
    assert {made[group]["Properties"]["KmsKeyId"] == arn("Key") for group in ("LogGroup", "AccessLogGroup")} == {True}
    assert {made[nested]["Properties"]["Parameters"]["KmsKeyArn"] == arn("Key") for nested in ("Monitoring", "Fleet")} == {True}


def test_whoever_uses_what_is_encrypted_may_use_the_key():
    key = KEYS["CustomerKey"]
    assert allowed("ApiRole", **key)["Decrypt"] == ({"kms:Decrypt"}, [arn("Key")])
    assert allowed("BatchRole", **key)["EncryptAndDecrypt"] == ({"kms:Decrypt", "kms:GenerateDataKey"}, [arn("Key")])
    [operator] = [each for each in properties("OperatorPolicy", **key)["PolicyDocument"]["Statement"] if each["Sid"] == "EncryptAndDecrypt"]
    assert operator["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"], "to send a message is to encrypt it"
    services = {
        statement["Principal"].get("Service") if isinstance(statement["Principal"].get("Service"), str) else "logs"
        for statement in properties("Key", **key)["KeyPolicy"]["Statement"]
        if "Service" in statement["Principal"]
    }
    assert services == {"logs", "cloudwatch.amazonaws.com"}


def test_a_key_turns_and_stays_as_long_as_what_it_encrypts():
    key = stack(**KEYS["CustomerKey"])["Key"]
    assert key["Properties"]["EnableKeyRotation"] is True
    assert (key["DeletionPolicy"], key["UpdateReplacePolicy"]) == ("Retain", "Retain")


@pytest.mark.parametrize("group", ["LogGroup", "AccessLogGroup"])
def test_logs_are_kept_for_as_long_as_it_says(group):
    assert properties(group, LogRetentionDays="90")["RetentionInDays"] == "90"


# --- Stacks within the stack -----------------------------------------------------------------------------------------------


def test_a_fleet_is_made_only_where_it_is_asked_for():
    assert "Fleet" not in stack()
    assert "Fleet" in stack(**FLEET)


@pytest.mark.parametrize("nested", ["Fleet", "Monitoring"])
def test_a_stack_within_is_given_what_it_asks_for(nested):
    asked = cfn_yaml.load(str(ROOT / SOURCE[nested]["TemplateURL"]))["Parameters"]
    given = SOURCE[nested]["Parameters"].keys()
    assert given <= asked.keys()
    assert {name for name, parameter in asked.items() if "Default" not in parameter} <= given


@pytest.mark.parametrize(
    ("nested", "name"),
    [
        *(
            ("Fleet", name)
            for name in ("MaxInstances", "SpotPercentage", "ShardsPerInstance", "IdleExitSeconds", "LogLevel", "LogRetentionDays")
        ),
        *(("Monitoring", name) for name in ("AlarmEmail", "LatencyMs", "QueueAgeSeconds", "Architecture")),
    ],
)
def test_a_parameter_of_a_stack_within_is_the_same_in_both_templates(nested, name):
    theirs = cfn_yaml.load(str(ROOT / SOURCE[nested]["TemplateURL"]))["Parameters"]
    assert {**PARAMETERS[name], "Description": ""} == {**theirs[name], "Description": ""}


def test_monitoring_is_told_the_names_that_the_metrics_go_by():
    told = properties("Monitoring")["Parameters"]
    assert told["ApiName"] == properties("Api")["Name"] == properties("Api")["Body"]["info"]["title"]
    assert told["ApiStage"] == properties("Apiv1Stage")["StageName"]
    assert told["AliasName"] == properties("ApiFunctionAliaslive")["Name"]
    assert told["MetricsNamespace"] == properties("ApiFunction")["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"]
    assert told["FleetQueueName"] == ""
    assert properties("Monitoring", **FLEET)["Parameters"]["FleetQueueName"] == {"Fn::GetAtt": ["Fleet", "Outputs.QueueName"]}
