"""The reference model through every entry point, with S3 for the queue's messages."""

import io
import json
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from coinfarm.cli import main
from coinfarm.outputs import OUTPUT_NAMES
from coinfarm.serving.settings import reference_model_uri
from handler.app import lambda_handler
from handler.local_events import LocalContext
from tests.support.demo_requests import MINUTE_MS, ApiResponse, demo_request, http_event, queue_event, rest_event
from tests.support.repository import ROOT

pytestmark = [pytest.mark.tensorflow, pytest.mark.enable_socket]

CANDLE_COUNT = 699  # 500 windows


@pytest.fixture(scope="module")
def candle_file(tmp_path_factory):
    """A klines JSON file of the 1,500 real minutes in ../shared/data if they exist, else of synthetic ones."""
    path = ROOT.parent / "shared/data/klines-BTCUSD-1m.json"
    if not path.exists():
        path = tmp_path_factory.mktemp("candles") / "klines-DEMOUSD-1m.json"
        path.write_text(json.dumps(demo_request(1200)["candles"]))
    return path


@pytest.fixture(scope="module")
def request_of_500(candle_file):
    symbol = candle_file.stem.split("-")[1]
    return {"symbol": symbol, "interval": "1m", "candles": json.loads(candle_file.read_text())[:CANDLE_COUNT]}


@pytest.fixture(scope="module", autouse=True)
def service(container, s3, candle_file):
    """One container for all tests, without an prediction cache, so that every entry point uses the model."""
    s3.upload_file(str(candle_file), "candles", candle_file.name)
    with container(MODEL_URI=reference_model_uri(), PREDICTION_CACHE_FRAMES="0"):
        yield


@pytest.fixture(scope="module")
def direct_response(request_of_500):
    return lambda_handler(request_of_500, LocalContext())


def test_direct_event_predicts_500_windows(direct_response):
    results = direct_response["results"]
    assert len(results) == 500
    assert len({tuple(result["predictions"].values()) for result in results}) > 400, "the predictions hardly depend on the frames"


@pytest.mark.parametrize("api_event", [rest_event, http_event], ids=["REST", "HTTP"])
def test_api_event_returns_the_predictions_of_a_direct_event(request_of_500, direct_response, api_event):
    event = api_event("POST", "/predictions", "application/json", json.dumps(request_of_500).encode())
    response = ApiResponse.of(lambda_handler(event, LocalContext()))
    assert response.json() == direct_response


def test_queue_records_write_the_predictions_of_a_direct_event(request_of_500, direct_response, candle_file, s3):
    stop = datetime.fromtimestamp((request_of_500["candles"][-1][0] + MINUTE_MS) / 1000, UTC)
    inline = {**request_of_500, "resultsUri": "inline.json"}
    file = {"symbol": request_of_500["symbol"], "interval": "1m", "candlesUri": f"s3://candles/{candle_file.name}", "to": stop.isoformat()}
    assert lambda_handler(queue_event(inline, {**file, "resultsUri": "file.parquet"}), LocalContext()) == {"batchItemFailures": []}

    written = json.loads(s3.get_object(Bucket="results", Key="inline.json")["Body"].read())
    assert written.pop("messageId")
    assert written == direct_response

    table = pq.read_table(io.BytesIO(s3.get_object(Bucket="results", Key="file.parquet")["Body"].read()))
    columns = (table[name].to_pylist() for name in ("max_rise_pct", "max_decline_pct", "end_change_pct"))
    predictions = [dict(zip(OUTPUT_NAMES, row, strict=True)) for row in zip(*columns, strict=True)]
    # a frame's sums may be rounded differently in another batch
    assert predictions == [pytest.approx(result["predictions"], abs=1e-4) for result in direct_response["results"]]


def test_command_line_prints_the_predictions_of_a_direct_event(direct_response, candle_file):
    result = CliRunner().invoke(main, ["predict", str(candle_file), "--json"])
    document = json.loads(result.stdout)
    assert len(document["results"]) == len(json.loads(candle_file.read_text())) - 199
    for printed, returned in zip(document["results"][:500], direct_response["results"], strict=True):
        assert printed.pop("predictions") == pytest.approx(returned["predictions"], abs=1e-4)
        assert printed.items() <= returned.items()
