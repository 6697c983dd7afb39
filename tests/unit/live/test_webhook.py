import json
from contextlib import suppress

import pytest

from coinfarm.errors import CoinfarmError, Unavailable
from coinfarm.live.live_message import EXAMPLE_MESSAGE
from coinfarm.live.webhook import BodyTemplate, Webhook
from tests.support.http_server import QuietHandler, disconnect, response, serving

pytestmark = pytest.mark.enable_socket
JSON_BODY = '{"pair": "{{ symbol[:-4] }}-{{ symbol[-4:] }}", "rise": {{ predictions.maxRisePct }}, "at": {{ candle.close | tojson }}}'


@pytest.fixture
def bot():
    """Requests that arrived at `bot.url` as (content type, body); `bot.responses` come first."""

    class Bot(QuietHandler):
        requests, responses, url = [], [], ""

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            Bot.requests.append((self.headers["Content-Type"], body))
            (Bot.responses.pop(0) if Bot.responses else response("ok"))(self)

    with serving(Bot) as Bot.url:
        yield Bot


def test_posts_the_message_as_json(bot):
    Webhook(bot.url + "/hook?key=1").send(EXAMPLE_MESSAGE)
    ((kind, body),) = bot.requests
    assert (kind, json.loads(body)) == ("application/json", EXAMPLE_MESSAGE)


@pytest.mark.parametrize(
    ("template", "kind", "body"),
    [
        (JSON_BODY, "application/json", '{"pair": "BTC-USDT", "rise": 0.1, "at": 90005.0}'),
        ("{{ symbol }} {{ '%+.2f' % predictions.endChangePct }} %", "text/plain; charset=utf-8", "BTCUSDT +0.01 %"),
    ],
)
def test_posts_what_a_template_makes_of_it(bot, template, kind, body):
    Webhook(bot.url, BodyTemplate(template)).send(EXAMPLE_MESSAGE)
    assert bot.requests == [(kind, body)]


def test_posts_nothing_where_the_template_is_empty(bot):
    webhook = Webhook(bot.url, BodyTemplate("\n{% if predictions.maxRisePct > 0.5 %}buy{% endif %}\n"))
    webhook.send(EXAMPLE_MESSAGE)
    webhook.send({**EXAMPLE_MESSAGE, "predictions": {"maxRisePct": 0.6}})
    assert [body.strip() for _, body in bot.requests] == ["buy"]


def test_templates_can_write_times_as_text():
    assert BodyTemplate("{{ predictedAt | iso_time }}").body(EXAMPLE_MESSAGE) == "2026-01-01T00:01:00.050+00:00"


@pytest.mark.parametrize(
    "template",
    ["{{ symbol", "{{ price }}", "{{ 1 // 0 }}", "{{ symbol.__class__.__mro__[1].__subclasses__() }}", "{% include 'secrets' %}"],
    ids=["syntax", "unknown variable", "arithmetic", "escape from the sandbox", "file"],
)
def test_a_template_that_cannot_be_rendered_is_reported_before_the_first_prediction(template):
    with pytest.raises(CoinfarmError, match="template"):
        BodyTemplate(template)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (response("", 503), Unavailable),
        (response("", 429), Unavailable),
        (disconnect, Unavailable),
        (response("", 404), CoinfarmError),
        (response("", 302, Location="http://127.0.0.1:9/"), CoinfarmError),
    ],
)
def test_errors_do_not_contain_the_url(bot, answer, error):
    bot.responses.append(answer)
    webhook = Webhook(bot.url + "/hook?key=secret")
    with pytest.raises(error) as raised:
        webhook.send(EXAMPLE_MESSAGE)
    assert type(raised.value) is error
    assert "127.0.0.1" in str(raised.value)
    assert "secret" not in str(raised.value)
    webhook.send(EXAMPLE_MESSAGE)


@pytest.mark.parametrize(
    "url", ["bot.example/hook", "ftp://bot.example", "https://", "http://[::1", "http://bot.example:port/", "http://bot.example:99999/"]
)
def test_refuses_what_is_not_a_url(url):
    with pytest.raises(CoinfarmError, match="webhook"):
        Webhook(url)


def endless(request):
    """A response whose body has no end."""
    request.send_response(200)
    request.end_headers()
    with suppress(OSError):
        while True:
            request.wfile.write(b" " * 65536)


def test_does_not_read_a_response_without_end(bot):
    bot.responses = [endless]
    webhook = Webhook(bot.url)
    webhook.send(EXAMPLE_MESSAGE)
    webhook.send(EXAMPLE_MESSAGE)
    assert len(bot.requests) == 2


def test_refuses_a_template_that_is_not_text(tmp_path):
    (tmp_path / "body.j2").write_bytes(b"\xff\xfe{{")
    with pytest.raises(CoinfarmError, match="UTF-8"):
        BodyTemplate.read(tmp_path / "body.j2")
