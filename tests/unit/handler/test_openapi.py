import json

import pytest
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import OpenAPIV30SpecValidator

from handler import api, api_gateway, openapi, openapi_file
from handler.openapi_file import openapi_json
from tests.support.demo_requests import EVENTS, ApiResponse

DOCUMENT = json.loads(openapi_json())
OPERATIONS = {
    (method.upper(), path): operation for path, operations in DOCUMENT["paths"].items() for method, operation in operations.items()
}


def test_the_committed_document_is_the_codes_own():
    assert openapi.main(["--check"]) == 0


@pytest.mark.parametrize("module", [openapi_file, api_gateway])
def test_a_stale_document_is_said_to_be_stale(monkeypatch, tmp_path, capsys, module):
    for each in (openapi_file, api_gateway):
        monkeypatch.setattr(each, "FILE", tmp_path / each.FILE.name)
    assert openapi.main(["--check"]) == 1
    openapi.main(["--write"])
    assert openapi.main(["--check"]) == 0
    capsys.readouterr()
    module.FILE.write_text(module.FILE.read_text().replace("PostFrames", "PostFlames"))
    assert openapi.main(["--check"]) == 1
    assert capsys.readouterr().err == f"{module.FILE} is stale: renew it with `make openapi`\n"


def test_the_document_is_valid_openapi_3_0():
    assert DOCUMENT["openapi"].startswith("3.0.")
    OpenAPIV30SpecValidator(DOCUMENT).validate()


def test_every_route_is_in_the_document():
    served = {(method, route[0]) for route in api.router._routes for method in route[1]}
    assert served == set(OPERATIONS)


def test_people_are_not_shown_what_only_api_gateway_needs():
    assert "x-amazon" not in openapi_json()
    assert "Fn::" not in openapi_json()


def test_people_are_told_of_the_key_and_of_the_one_path_that_needs_none():
    """Of a signature too, and that there may be neither: the document does not know where it is served."""
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert (schemes["apiKey"]["in"], schemes["apiKey"]["name"]) == ("header", "x-api-key")
    asked = {path: operation.get("security") for (_, path), operation in OPERATIONS.items()}
    assert asked.pop("/health") is None
    assert all(security == [{"apiKey": []}, {"sigv4": []}, {}] for security in asked.values())


@pytest.mark.parametrize(("path", "statuses"), [("/health", {"429", "504"}), ("/predictions", {"401", "403", "429", "504"})])
def test_people_are_told_what_api_gateway_may_answer_in_place_of_the_handler(path, statuses):
    responses = next(operation for (_, each), operation in OPERATIONS.items() if each == path)["responses"]
    assert {"401", "403", "429", "504"} & responses.keys() == statuses
    assert all(responses[status]["content"].keys() == {"application/problem+json"} for status in statuses)


def test_api_gateway_is_told_of_the_same_operations():
    told = json.loads(api_gateway.FILE.read_text())
    assert {path: operations.keys() for path, operations in told["paths"].items()} == {
        path: operations.keys() for path, operations in DOCUMENT["paths"].items()
    }
    names = {(path, each["name"]) for path, operations in told["paths"].items() for each in operations.get("get", {}).get("parameters", ())}
    assert names == {("/model", "version")}


def check(document, schema):
    """The document has the shape that the schema promises, and no field beyond it."""
    OAS30Validator({**schema, "components": DOCUMENT["components"]}).validate(document)


def described(answer, operation):
    """The schema of an answer's body; fails for a status or a media type that the document does not tell of."""
    content = operation["responses"][str(answer.status)]["content"]
    return content[answer.media_type.partition(";")[0]]["schema"]


@pytest.mark.parametrize("event", [pytest.param(json.loads(path.read_text()), id=path.stem) for path in sorted(EVENTS.rglob("api-*.json"))])
def test_what_is_asked_and_answered_is_what_the_document_promises(invoke, event):
    http = event["requestContext"].get("http") or {"method": event["httpMethod"], "path": event["path"]}
    operation = OPERATIONS[http["method"], http["path"]]
    if event.get("body") and not event["isBase64Encoded"]:
        check(json.loads(event["body"]), operation["requestBody"]["content"]["application/json"]["schema"])
    answer = ApiResponse.of(invoke(event))
    schema = described(answer, operation)
    if answer.media_type.endswith("json"):
        check(answer.json(), schema)


@pytest.mark.parametrize(
    ("method", "path", "body", "media_type", "status"),
    [
        pytest.param("POST", "/predictions", b"hello", "application/json", 400, id="not JSON"),
        pytest.param("POST", "/predictions", b"hello", "text/plain", 415, id="another kind of body"),
        pytest.param("POST", "/predictions", {"candles": []}, "application/json", 422, id="a wrong request"),
        pytest.param("POST", "/frames", b"hello", "application/json", 400, id="a picture of nothing"),
    ],
)
def test_a_refusal_is_what_the_document_promises(ask, method, path, body, media_type, status):
    answer = ask(method, path, body, media_type)
    assert answer.status == status
    check(answer.json(), described(answer, OPERATIONS[method, path]))


@pytest.mark.parametrize("path", ["/model", "/ready"])
def test_the_lack_of_a_model_is_what_the_document_promises(ask, monkeypatch, path):
    monkeypatch.setenv("MODEL_URI", "/nowhere")
    answer = ask("GET", path)
    assert answer.status == 503
    check(answer.json(), described(answer, OPERATIONS["GET", path]))
