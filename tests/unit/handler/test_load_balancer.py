"""Load balancers and function URLs: the response has the format that each expects."""

import json

import pytest

from tests.support.demo_requests import EVENTS, demo_request, function_url_event, load_balancer_event, multi_value_event

BODY = json.dumps(demo_request()).encode()
CSV = (EVENTS / "candles/uploads/DEMOUSD-1m.csv").read_bytes()
both_kinds = pytest.mark.parametrize("make", [load_balancer_event, multi_value_event], ids=["single values", "lists of values"])


@both_kinds
@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("/predictions", BODY, "200 OK"), ("/predictions", b"{}", "422 Unprocessable Entity"), ("/nowhere", BODY, "404 Not Found")],
)
def test_response_has_the_status_in_words_and_headers_of_the_kind_of_the_event(invoke, make, path, body, status):
    event = make("POST", path, "application/json", body)
    response = invoke(event)
    assert (str(response["statusCode"]), response["statusDescription"]) == (status.split()[0], status)
    name = "multiValueHeaders" if make is multi_value_event else "headers"
    assert [each for each in response if each.endswith("eaders")] == [name]
    values = response[name]["Content-Type"]
    assert "json" in (values[0] if make is multi_value_event else values)
    assert isinstance(response["body"], str)


@both_kinds
def test_a_malformed_event_is_rejected_in_the_same_format(invoke, make):
    response = invoke(make("GET", "/model", "", b"") | {"path": 5})
    assert response["statusDescription"] == "400 Bad Request"
    assert ("multiValueHeaders" in response) == (make is multi_value_event)


@both_kinds
def test_parameters_are_decoded(invoke, make):
    """API Gateway decodes them; a load balancer does not."""
    response = invoke(make("GET", "/model", "", b"", "version=no%2Fversion"))
    assert "no/version" in json.loads(response["body"])["detail"]
    response = invoke(make("POST", "/candles", "text/csv", CSV, "symbol=DEMO%2FUSD&fileName=a+file.csv"))
    assert json.loads(response["body"])["symbol"] == "DEMOUSD"


def test_a_response_above_the_limit_of_a_load_balancer_is_an_error(invoke):
    response = invoke(load_balancer_event("GET", "/docs", "", b""))
    assert response["statusDescription"].startswith("413 ")
    assert invoke(function_url_event("GET", "/docs", "", b""))["statusCode"] == 200


def test_a_png_is_sent_as_base64(invoke):
    response = invoke(multi_value_event("POST", "/frames", "application/json", BODY))
    assert (response["statusCode"], response["isBase64Encoded"]) == (200, True)
    assert response["multiValueHeaders"]["Content-Type"] == ["image/png"]
