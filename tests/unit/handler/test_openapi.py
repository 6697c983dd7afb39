import json

import pytest
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import OpenAPIV30SpecValidator

from handler import api, api_gateway_document, committed_openapi, openapi
from handler.committed_openapi import openapi_json
from tests.support.demo_requests import EVENTS, ApiResponse

DOCUMENT = json.loads(openapi_json())
OPERATIONS = {
    (method.upper(), path): operation for path, operations in DOCUMENT["paths"].items() for method, operation in operations.items()
}


def test_the_committed_documents_are_up_to_date():
    assert openapi.main(["--check"]) == 0


@pytest.mark.parametrize("module", [committed_openapi, api_gateway_document])
def test_check_finds_outdated_documents(monkeypatch, tmp_path, capsys, module):
    for each in (committed_openapi, api_gateway_document):
        monkeypatch.setattr(each, "FILE", tmp_path / each.FILE.name)
    assert openapi.main(["--check"]) == 1
    openapi.main(["--write"])
    assert openapi.main(["--check"]) == 0
    module.FILE.write_text(module.FILE.read_text().replace("PostFrames", "PostFlames"))
    assert openapi.main(["--check"]) == 1
    assert str(module.FILE) in capsys.readouterr().err.splitlines()[-1]


def test_is_valid_openapi_3_0():
    assert DOCUMENT["openapi"].startswith("3.0.")
    OpenAPIV30SpecValidator(DOCUMENT).validate()


def test_contains_every_route():
    served = {(method, route[0]) for route in api.router._routes for method in route[1]}
    assert served == set(OPERATIONS)
    assert "x-amazon" not in openapi_json(), "extensions are only in the document for API Gateway"
    security = {path: operation.get("security") for (_, path), operation in OPERATIONS.items()}
    assert [path for path in security if security[path] is None] == ["/health"]


@pytest.mark.parametrize(("path", "statuses"), [("/health", {"429", "504"}), ("/predictions", {"401", "403", "429", "504"})])
def test_documents_the_errors_of_api_gateway(path, statuses):
    responses = next(operation for (_, each), operation in OPERATIONS.items() if each == path)["responses"]
    assert {"401", "403", "429", "504"} & responses.keys() == statuses
    assert all(responses[status]["content"].keys() == {"application/problem+json"} for status in statuses)


def check(document, schema):
    OAS30Validator({**schema, "components": DOCUMENT["components"]}).validate(document)


def check_response(response, operation):
    """The status and the media type are documented, and the body matches its schema."""
    content = operation["responses"][str(response.status)]["content"][response.media_type.partition(";")[0]]
    if response.media_type.endswith("json"):
        check(response.json(), content["schema"])


@pytest.mark.parametrize("event", [pytest.param(json.loads(path.read_text()), id=path.stem) for path in sorted(EVENTS.rglob("api-*.json"))])
def test_requests_and_responses_match_their_schemas(invoke, event):
    http = event["requestContext"].get("http") or {"method": event["httpMethod"], "path": event["path"]}
    operation = OPERATIONS[http["method"], http["path"]]
    if event.get("body") and not event["isBase64Encoded"]:
        check(json.loads(event["body"]), operation["requestBody"]["content"]["application/json"]["schema"])
    response = ApiResponse.of(invoke(event))
    check_response(response, operation)
    assert response.status == 200 or response.json()["errors"][0]["pointer"] == "/candles/17/high"


EXAMPLES = [
    pytest.param(method, path, media_type, reference["$ref"].rpartition("/")[2], id=f"{path} {name}")
    for (method, path), operation in OPERATIONS.items()
    for media_type, content in operation.get("requestBody", {"content": {}})["content"].items()
    for name, reference in content.get("examples", {}).items()
]


@pytest.mark.parametrize(("method", "path", "media_type", "name"), EXAMPLES)
def test_every_example_is_accepted_as_it_stands(send, method, path, media_type, name):
    value = DOCUMENT["components"]["examples"][name]["value"]
    response = send(method, path, value.encode() if isinstance(value, str) else value, media_type)
    assert response.status == 200
    check_response(response, OPERATIONS[method, path])


def test_every_body_has_an_example_or_is_a_file():
    """Swagger UI lets one choose a file; for any other body without an example, it would send its own."""
    bodies = {path: operation["requestBody"]["content"] for (_, path), operation in OPERATIONS.items() if "requestBody" in operation}
    assert all("examples" in each or each["schema"]["format"] == "binary" for content in bodies.values() for each in content.values())
    assert all("examples" in next(iter(content.values())) for content in bodies.values()), "the first is what Swagger UI offers"


def test_no_parameter_is_sent_unless_somebody_sets_it():
    """Swagger UI fills in defaults and examples, and parameters are for candle files only."""
    parameters = [parameter for operation in OPERATIONS.values() for parameter in operation.get("parameters", ())]
    assert parameters
    assert not any({"default", "example"} & parameter["schema"].keys() or parameter["required"] for parameter in parameters)


@pytest.mark.parametrize(
    ("method", "path", "media_type", "status"),
    [("POST", "/predictions", "application/json", 400), ("POST", "/predictions", "image/png", 415), ("GET", "/ready", "", 503)],
)
def test_errors_match_their_schema(send, monkeypatch, method, path, media_type, status):
    monkeypatch.setenv("MODEL_URI", "/nowhere")
    response = send(method, path, b"hello" if method == "POST" else b"", media_type)
    assert response.status == status
    check_response(response, OPERATIONS[method, path])
