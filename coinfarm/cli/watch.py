"""`coinfarm watch`: a prediction for every candle of an exchange as it closes."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from coinfarm.cli.failures import Interrupted, on_interrupt
from coinfarm.cli.interval_types import INTERVAL
from coinfarm.cli.options import ANY_INTERVAL, MODEL, check_interval
from coinfarm.cli.paths import EXISTING_FILE, ROOT_TO_WRITE

if TYPE_CHECKING:
    from coinfarm.live.live_output import LiveOutput
    from coinfarm.serving.service import Service

_TOPIC_ATTRIBUTES = ("exchange", "symbol", "interval")
"""Fields by which subscriptions to a topic may filter."""
_STORED = "What was predicted is stored. Run the same command again to continue."


@click.command(epilog="Example: coinfarm watch BTC/USDT ETH/USDT --interval 1m --store build/live")
@click.argument("symbols", nargs=-1, required=True, metavar="SYMBOL...")
@click.option("--interval", type=INTERVAL, default="1m", show_default=True, help="The length of a candle.")
@click.option(
    "--exchange", "exchange_name", default="binanceus", show_default=True, help="An exchange that ccxt supports, by its ccxt name."
)
@click.option("--store", "root", type=ROOT_TO_WRITE, required=True, help="The live store: a folder or an s3:// URI.")
@MODEL
@ANY_INTERVAL
@click.option("--json", "as_json", is_flag=True, help="Print each prediction as a line of JSON, as when stdout is not a terminal.")
@click.option("--webhook", "webhook_url", metavar="URL", envvar="COINFARM_WEBHOOK", help="Post each prediction as JSON to this URL.")
@click.option("--webhook-template", type=EXISTING_FILE, help="A Jinja2 template for the webhook's body.")
@click.option("--sns-topic", metavar="ARN", help="Publish each prediction to this SNS topic.")
@click.option("--polling", is_flag=True, help="Fetch candles by REST although the exchange has a websocket.")
@click.option("--exchange-url", help="The base URL of a server that answers in place of the exchange: a proxy, or a test server.")
def watch(
    symbols: tuple[str, ...],
    interval: str,
    exchange_name: str,
    root: str,
    model_uri: str | None,
    any_interval: bool,
    as_json: bool,
    webhook_url: str | None,
    webhook_template: Path | None,
    sns_topic: str | None,
    polling: bool,
    exchange_url: str | None,
) -> None:
    """Predict every candle of an exchange as it closes.

    Candles come from the exchange's websocket, or by REST where it has none. Each is stored together with its prediction, once and in
    order; after a gap, a restart or a lost connection the missing ones are fetched first. A first start begins with the last 230 candles.

    An exchange in maintenance, or one that limits requests, is waited for. A webhook or topic gets only predictions that are not older
    than one candle. New versions of the model are loaded while the old one predicts.

    Exit codes: 0 after SIGTERM; 130 after Ctrl-C; 1 for a setting that cannot be used, an unknown symbol, or an exchange that cannot be
    reached or does not serve your location (HTTP 451).
    """
    from coinfarm.live.live_store import LiveStore
    from coinfarm.live.watch_session import WatchOptions, WatchSession
    from coinfarm.storage import open_storage

    if webhook_template is not None and webhook_url is None:
        raise click.UsageError("--webhook-template is the body of a webhook: add --webhook URL")
    is_table = sys.stdout.isatty() and not as_json
    with on_interrupt(_STORED), _outputs(is_table, webhook_url, webhook_template, sns_topic) as output:
        with _exit_at_sigterm():
            service = _service(model_uri)
            check_interval(service.model().bundle.manifest, interval, any_interval=any_interval)
            options = WatchOptions(exchange_name, symbols, interval, exchange_url, use_websocket=not polling, any_interval=any_interval)
            session = WatchSession(options, LiveStore(open_storage(root)), service, output)
        way = "websocket" if session.has_websocket else "REST"
        with _signals(session.stop):
            output.notice(f"Watching {', '.join(session.symbols)} {interval} of {exchange_name} by {way}. Stop with Ctrl-C.")
            stopped_by = session.run()
    if stopped_by == signal.SIGINT:
        raise Interrupted(_STORED)


def _service(model_uri: str | None) -> "Service":
    from coinfarm.serving.service import Service
    from coinfarm.serving.settings import Settings

    overrides = {"MODEL_URI": model_uri} if model_uri else {}
    return Service(Settings.from_environment({**os.environ, **overrides, "PREDICTION_CACHE_FRAMES": "0"}))


@contextmanager
def _outputs(is_table: bool, webhook_url: str | None, template: Path | None, sns_topic: str | None) -> "Iterator[LiveOutput]":
    """The table or the JSON lines, and what is sent elsewhere; closed in reverse order, so that the last notices are shown."""
    from coinfarm.cli.live_view import JsonLines, LiveTable
    from coinfarm.live.delivery import Delivery
    from coinfarm.live.live_output import AllOutputs
    from coinfarm.live.webhook import BodyTemplate, Webhook

    deliveries: list[tuple[str, Callable[..., None], int]] = []
    if webhook_url is not None:
        webhook = Webhook(webhook_url, None if template is None else BodyTemplate.read(template))
        deliveries.append(("webhook", lambda messages: webhook.send(messages[0]), 1))
    if sns_topic is not None:
        from coinfarm.aws.batch_calls import MAX_ENTRIES_PER_CALL
        from coinfarm.aws.sns import Topic

        topic = Topic(sns_topic)
        deliveries.append(("SNS", lambda messages: topic.publish(messages, _TOPIC_ATTRIBUTES), MAX_ENTRIES_PER_CALL))
    view = LiveTable() if is_table else JsonLines()
    outputs = AllOutputs([*(Delivery(name, send, view.notice, count) for name, send, count in deliveries), view])
    try:
        yield outputs
    finally:
        outputs.close()


@contextmanager
def _exit_at_sigterm() -> Iterator[None]:
    """Let SIGTERM end the command with code 0 while there is no watch to stop yet: an exchange in maintenance may be waited for."""
    previous = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


@contextmanager
def _signals(stop: Callable[[int], None]) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the watch after the batch that is being predicted; a second one ends it at once."""

    def handle(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, previous[signal.Signals(number)])
        stop(number)

    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
