"""Scheduled live predictions, with the real ccxt client, a fake exchange, and S3, SNS and EventBridge on moto."""

import json

import boto3
import moto
import pytest
from botocore.client import BaseClient

from coinfarm.errors import CoinfarmError, InvalidInput, NotFound, Unavailable
from coinfarm.live.live_series import FIRST_CANDLES
from coinfarm.live.live_store import LiveFeed, LiveStore
from coinfarm.storage import open_storage
from handler import app, live_publication, live_schedule
from handler.local_events import LocalContext
from tests.support.fake_exchange import klines_of
from tests.support.http_server import response
from tests.support.live_schedules import exchange_of_the_handler, live_event
from tests.support.synthetic_candles import MINUTE_MS, START_MS, minutes

pytestmark = pytest.mark.enable_socket

CANDLES = {"BTCUSDT": minutes(600, seed=5), "ETHUSDT": minutes(600, missing=[404], seed=6)}
SYMBOLS = ["BTC/USDT", "ETH/USDT"]


def at(minute, seconds=0):
    return START_MS + minute * MINUTE_MS + seconds * 1000


@pytest.fixture
def binance():
    with exchange_of_the_handler() as exchange:
        exchange.other_rows = {(symbol, "1m"): klines_of(candles) for symbol, candles in CANDLES.items()}
        exchange.now_ms = at(400, 5)
        yield exchange


@pytest.fixture
def pauses(binance, monkeypatch):
    """The pauses in seconds, for which the exchange's clock is advanced."""
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        binance.now_ms += round(seconds * 1000)

    monkeypatch.setattr(live_schedule.time, "sleep", sleep)
    return pauses


class Cloud:
    """A bucket, a topic with a queue, and a bus with a log."""

    def __init__(self):
        self.sns, self.sqs, self.events, self.logs = map(boto3.client, ("sns", "sqs", "events", "logs"))
        boto3.client("s3").create_bucket(Bucket="results")
        self.topic = self.sns.create_topic(Name="predictions")["TopicArn"]
        self.queue = self.sqs.create_queue(QueueName="bot")["QueueUrl"]
        arn = "arn:aws:sqs:us-east-1:123456789012:bot"
        self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
        self.bus = self.events.create_event_bus(Name="predictions")["EventBusArn"]
        self.logs.create_log_group(logGroupName="/bus")
        self.events.put_rule(Name="all", EventBusName=self.bus, EventPattern='{"source": ["coinfarm"]}')
        target = {"Id": "log", "Arn": "arn:aws:logs:us-east-1:123456789012:log-group:/bus"}
        self.events.put_targets(Rule="all", EventBusName=self.bus, Targets=[target])

    def of_topic(self):
        """What the topic's subscriber received, in order of time and symbol."""
        found = []
        while messages := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return sorted(found, key=lambda each: (each["closeTime"], each["symbol"]))

    def of_bus(self):
        return [json.loads(event["message"]) for event in self.logs.filter_log_events(logGroupName="/bus")["events"]]


@pytest.fixture
def cloud(monkeypatch):
    with moto.mock_aws():
        monkeypatch.setenv("RESULTS_ROOT", "s3://results")
        for cached in (live_schedule._store, live_publication._topic, live_publication._event_bus):
            cached.cache_clear()
        yield Cloud()


@pytest.fixture
def event(cloud):
    return live_event(*SYMBOLS, topicArn=cloud.topic, eventBusArn=cloud.bus)


@pytest.fixture
def run(invoke, event, pauses):
    """Invoke the handler with the schedule's event, at a time of the exchange's clock."""

    def run(binance, now_ms):
        binance.now_ms = now_ms
        return invoke(event)

    return run


def stored():
    return LiveStore(open_storage("s3://results")).read(LiveFeed("binanceus", "1m")).to_pylist()


def test_a_schedule_that_fires_twice_late_or_not_at_all_stores_and_publishes_each_candle_once(run, binance, cloud, invoke, event):
    first = run(binance, at(400, 5))
    assert first["new"] == 2 * FIRST_CANDLES
    assert run(binance, at(400, 6)) == {"new": 0, "corrected": 0, "published": 0}
    assert run(binance, at(401, 59))["published"] == 2
    assert run(binance, at(403, 30))["published"] == 4, "one event did not come"
    live_schedule._store.cache_clear()  # another container
    assert run(binance, at(403, 31))["published"] == 0
    rows = stored()
    keys = [(row["open_time"], row["symbol"]) for row in rows]
    assert keys == [(at(minute), symbol) for minute in range(400 - FIRST_CANDLES, 403) for symbol in CANDLES]
    predicted = [row for row in rows if row["predicted_at"] is not None and row["predicted_at"] - row["close_time"] <= 3_600_000]
    published = [(row["close_time"], row["symbol"]) for row in predicted]
    messages = cloud.of_topic()
    assert [(each["closeTime"], each["symbol"]) for each in messages] == published
    assert sorted((each["detail"]["closeTime"], each["detail"]["symbol"]) for each in cloud.of_bus()) == published
    assert first["published"] == len(published) - 6


def test_calls_of_a_warm_invocation(run, binance, monkeypatch):
    """docs/operations.md calculates the cost with them."""
    run(binance, at(400, 5))
    calls = []
    call = BaseClient._make_api_call
    monkeypatch.setattr(BaseClient, "_make_api_call", lambda self, name, given: calls.append(name) or call(self, name, given))
    assert run(binance, at(401, 5))["published"] == 2
    assert sorted(calls) == ["GetObject", "GetObject", "ListObjectsV2", "ListObjectsV2", "PublishBatch", "PutEvents", "PutObject"]


def test_the_published_event(run, binance, cloud):
    run(binance, at(400, 5))
    event = max(cloud.of_bus(), key=lambda each: (each["detail"]["closeTime"], each["detail"]["symbol"]))
    assert (event["source"], event["detail-type"]) == ("coinfarm", "Candle Predicted")
    assert event["detail"] == cloud.of_topic()[-1]
    detail = event["detail"]
    assert (detail["exchange"], detail["symbol"], detail["interval"]) == ("binanceus", "ETHUSDT", "1m")
    assert detail["closeTime"] == at(400) - 1
    assert detail["predictions"]["maxRisePct"] == 1.5
    assert detail["modelVersion"] == app.service().model().version


def test_waits_until_the_candle_is_settled(run, binance, pauses):
    binance.other_rows = {key: rows[:400] for key, rows in binance.other_rows.items()}
    run(binance, at(400, 0.25))
    assert pauses == [1.75]
    assert {row["open_time"] for row in stored()} >= {at(399)}


def test_waits_for_a_late_candle_and_gives_up_when_it_is_known_to_be_missing(run, binance, pauses):
    run(binance, at(403, 5))
    pauses.clear()
    binance.other_rows = {("BTCUSDT", "1m"): klines_of(CANDLES["BTCUSDT"])[:405], ("ETHUSDT", "1m"): klines_of(CANDLES["ETHUSDT"])[:404]}
    assert run(binance, at(405, 5))["new"] == 4
    assert sum(pauses) == 5
    assert [row["filled"] for row in stored() if row["symbol"] == "ETHUSDT"][-1]


def test_does_not_wait_beyond_the_end_of_the_invocation(binance, cloud, event):
    binance.faults = [response("{}", 429)] * 20
    with pytest.raises(Unavailable, match="invocation"):
        app.lambda_handler(event, LocalContext(timeout_s=5))


def test_a_failed_destination_raises_after_the_other_has_its_messages(run, binance, cloud, event):
    event["live"]["topicArn"] += "-deleted"
    with pytest.raises(NotFound, match="deleted"):
        run(binance, at(400, 5))
    assert len(cloud.of_bus()) == len(
        [row for row in stored() if row["predicted_at"] and row["predicted_at"] - row["close_time"] <= 3_600_000]
    )
    assert run(binance, at(400, 6))["published"] == 0


def test_publishes_nothing_without_destinations(run, binance, cloud, event):
    del event["live"]["topicArn"], event["live"]["eventBusArn"]
    assert run(binance, at(400, 5)) == {"new": 2 * FIRST_CANDLES, "corrected": 0, "published": 0}
    assert cloud.of_topic() == cloud.of_bus() == []


@pytest.mark.parametrize("change", [{"symbols": ["???"]}, {"symbols": ["BTC/USDT", "XYZ/USDT"]}, {"exchange": "__class__"}])
def test_unknown_symbols_and_exchanges_store_nothing(invoke, binance, event, change):
    event["live"] |= change
    with pytest.raises(CoinfarmError, match=r"\?\?\?|XYZ|__class__"):
        invoke(event)
    assert stored() == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"symbols": []}, "/live/symbols"),
        ({"interval": 5}, "/live/interval"),
        ({"topic": "arn"}, "/live/topic"),
        ({"topicArn": "arn:aws:sns:none"}, "/live/topicArn"),
        ({"eventBusArn": "predictions"}, "/live/eventBusArn"),
        ({"interval": "7m"}, "/interval"),
    ],
)
def test_rejects_invalid_fields(invoke, binance, event, change, pointer):
    event["live"] |= change
    with pytest.raises(InvalidInput) as raised:
        invoke(event)
    assert raised.value.errors[0].pointer == pointer
