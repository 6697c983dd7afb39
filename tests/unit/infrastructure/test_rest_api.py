"""The REST API of template.yaml: authentication, limits, request validation, error responses and access logs."""

import json
import re
from itertools import count
from types import SimpleNamespace

import pytest
from jsonschema import Draft4Validator
from openapi_spec_validator import OpenAPIV30SpecValidator

from coinfarm.serving.candle_upload import FILE_TYPES
from handler import schemas
from handler.api_routes import NPZ, PNG
from tests.support.expanded_template import TEMPLATE, properties_of, stack, transformed
from tests.support.repository import ROOT

BODY = properties_of("Api")["Body"]
MODEL = BODY["components"]["schemas"]["PredictionRequest"]
GATEWAY_RESPONSES = BODY["x-amazon-apigateway-gateway-responses"]


def operations(body):
    return {f"{method.upper()} {path}": operation for path, methods in body["paths"].items() for method, operation in methods.items()}


@pytest.mark.parametrize(("auth", "scheme"), [("ApiKey", "apiKey"), ("Iam", "sigv4")])
def test_every_operation_except_health_requires_authentication_and_invokes_the_functions_alias(auth, scheme):
    body = properties_of("Api", ApiAuth=auth)["Body"]
    security = {name: operation.get("security") for name, operation in operations(body).items()}
    assert security.pop("GET /health") is None
    assert "POST /predictions" in security
    assert all(schemes == [{scheme: []}] for schemes in security.values()), security
    assert body["components"]["securitySchemes"]["sigv4"]["x-amazon-apigateway-authtype"] == "awsSigv4"
    body["info"]["title"] = "coinfarm"
    for operation in operations(body).values():
        integration = operation["x-amazon-apigateway-integration"]
        assert integration["httpMethod"] == "POST", "Lambda is invoked by POST, whatever the method of the request"
        integration["uri"] = integration["uri"]["Fn::Sub"]
        assert integration["uri"].endswith("/functions/${ApiFunction.Arn}:live/invocations")
    assert "Fn::" not in json.dumps(body)
    OpenAPIV30SpecValidator(body).validate()


def test_pages_of_other_origins_are_answered_only_on_request():
    closed, opened = (properties_of("Api", CorsOrigins=origins)["Body"] for origins in ("", "https://charts.example.com"))
    assert not [name for name in operations(closed) if name.startswith("OPTIONS")]
    assert "Access-Control" not in json.dumps(closed)
    preflights = {name: operation for name, operation in operations(opened).items() if name.startswith("OPTIONS")}
    assert len(preflights) == len(opened["paths"])
    assert not any("security" in operation for operation in preflights.values()), "a browser sends no key with a preflight"
    errors = opened["x-amazon-apigateway-gateway-responses"].values()
    assert {error["responseParameters"]["gatewayresponse.header.Access-Control-Allow-Origin"] for error in errors} == {"'*'"}
    variables = properties_of("ApiFunction", CorsOrigins="https://charts.example.com")["Environment"]["Variables"]
    assert variables["CORS_ORIGINS"] == "https://charts.example.com"


def test_parameters_throttle_a_key_and_all_callers():
    plan = properties_of("UsagePlan", KeyRate="3", KeyBurst="4", KeyMonthlyQuota="500")
    assert (plan["Throttle"], plan["Quota"]["Limit"]) == ({"RateLimit": "3", "BurstLimit": "4"}, "500")
    (settings,) = properties_of("Apiv1Stage", ApiRate="7", ApiBurst="9")["MethodSettings"]
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == ("7", "9")
    assert settings["DataTraceEnabled"] is False, "it would log bodies"


def test_every_update_deploys_the_stage_again(monkeypatch):
    """Without a new deployment, a change of ApiAuth alone would not reach the stage."""
    clock = count(1)
    monkeypatch.setattr("samtranslator.model.apigateway.time", SimpleNamespace(time=lambda: next(clock)))
    first, second = (transformed(TEMPLATE)["Resources"]["Apiv1Stage"]["Properties"]["DeploymentId"] for _ in range(2))
    assert first != second


def test_web_acl_is_optional():
    assert "WebAclAssociation" not in stack()
    association = properties_of("WebAclAssociation", WebAclArn="arn:aws:wafv2:us-east-1:123456789012:regional/webacl/wall/1")
    assert association["ResourceArn"]["Fn::Sub"].endswith("::/restapis/${Api}/stages/${Apiv1Stage}")


REQUEST = {"symbol": "BTCUSD", "interval": "1m", "candles": [[1557792000000, "7770.7", "7770.7", "7744.7", "7760.2", "16.84"]]}


def test_api_gateway_validates_json_bodies_and_passes_others_as_bytes():
    validator = BODY["x-amazon-apigateway-request-validators"][BODY["x-amazon-apigateway-request-validator"]]
    assert validator["validateRequestBody"] is True
    for operation in ("POST /explanation", "POST /frames"):
        content = operations(BODY)[operation]["requestBody"]["content"]
        assert content == {"application/json": {"schema": {"$ref": "#/components/schemas/PredictionRequest"}}}
    for operation in ("POST /predictions", "POST /candles"):
        assert "requestBody" not in operations(BODY)[operation], "the JSON of an exchange may have any shape"
    assert BODY["x-amazon-apigateway-binary-media-types"] == [NPZ, PNG, *FILE_TYPES]


@pytest.mark.parametrize(
    ("request_document", "is_valid"),
    [
        pytest.param(REQUEST, True, id="klines"),
        pytest.param(
            {**REQUEST, "candles": [{"openTime": 1, "open": 1, "high": 1, "low": 1, "close": 1, "volume": 0}]}, True, id="objects"
        ),
        pytest.param({**REQUEST, "stride": "2"}, True, id="a number as a string, which the handler accepts"),
        pytest.param({**REQUEST, "modelVersion": None}, True, id="null"),
        pytest.param({**REQUEST, "candles": [17]}, True, id="an invalid candle, for which the handler has a pointer"),
        pytest.param({**REQUEST, "other": 1}, True, id="an unknown field, for which the handler has a pointer"),
        pytest.param([REQUEST], False, id="an array"),
        pytest.param({**REQUEST, "candles": "[]"}, False, id="candles as a string"),
        pytest.param({**REQUEST, "symbol": 1}, False, id="a symbol that is a number"),
        *(pytest.param({each: REQUEST[each] for each in REQUEST if each != name}, False, id=f"no {name}") for name in REQUEST),
    ],
)
def test_api_gateway_passes_all_requests_that_the_handler_accepts_or_explains(request_document, is_valid):
    assert Draft4Validator(MODEL).is_valid(request_document) == is_valid


def keywords(node):
    """The keywords of a schema and of the schemas in it."""
    if not isinstance(node, dict):
        return set()
    nested = [keywords(each) for each in node.get("properties", {}).values()] + [keywords(node.get("items"))]
    return set(node).union(*nested)


def test_request_model_uses_only_keywords_that_api_gateway_supports():
    """It supports draft 4, without `minItems` and `maxItems`."""
    assert keywords(MODEL) <= {"type", "required", "properties", "items", "enum", "pattern", "minLength", "maxLength"}


def test_api_gateways_own_errors_are_problem_documents():
    for response in GATEWAY_RESPONSES.values():
        assert response["responseParameters"]["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        document = json.loads(response["responseTemplates"]["application/json"])
        assert schemas.Problem.model_validate(document, extra="forbid").status == int(response["statusCode"])
        assert re.fullmatch(r"urn:coinfarm:problem:[A-Z]\w+", document["type"])
    assert GATEWAY_RESPONSES.keys() >= {"DEFAULT_4XX", "DEFAULT_5XX"}, "API Gateway uses these for kinds that are not listed"
    statuses = [GATEWAY_RESPONSES[kind]["statusCode"] for kind in ("THROTTLED", "QUOTA_EXCEEDED", "INTEGRATION_TIMEOUT")]
    assert statuses == ["429", "429", "504"]


def test_cloudformation_can_include_the_document():
    """It accepts no null, and API Gateway only alphanumeric names of models."""
    text = (ROOT / "handler/api_gateway.json").read_text()
    assert "null" not in re.sub(r'"(\\.|[^"\\])*"', "", text)
    assert all(name.isalnum() for name in json.loads(text)["components"]["schemas"])


def test_access_logs_are_json_and_the_accounts_logging_role_is_created_only_on_request():
    created = {setting: stack(AccessLogs=setting) for setting in ("Off", "On", "OnWithAccountRole")}
    stages = {setting: resources["Apiv1Stage"]["Properties"] for setting, resources in created.items()}
    assert "AccessLogSetting" not in stages["Off"]
    line = stages["On"]["AccessLogSetting"]["Format"].replace("$context.requestTimeEpoch", "1767225600000")
    assert json.loads(line)["timeMs"] == 1767225600000
    assert "\n" not in line
    assert not (created["On"].keys() | created["Off"].keys()) & {"ApiGatewayAccount", "ApiGatewayRole"}
    assert created["OnWithAccountRole"]["ApiGatewayRole"]["DeletionPolicy"] == "Retain", "other APIs of the account use it"
    assert {"Ref": "ApiGatewayAccount"} in stages["OnWithAccountRole"]["Variables"].values(), "the stage must wait for it"
