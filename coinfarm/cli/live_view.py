"""What `coinfarm watch` prints: a live table on a terminal, or JSON lines."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from coinfarm.live.live_message import message_line
from coinfarm.reports.formatting import duration_text, minute_text, number_text

if TYPE_CHECKING:
    from rich.table import Table


class JsonLines:
    """One line on stdout for each prediction; notices on stderr."""

    def show(self, messages: Sequence[dict[str, Any]]) -> None:
        for message in messages:
            if message["predictions"] is not None:
                click.echo(message_line(message))

    def notice(self, text: str) -> None:
        click.echo(text, err=True)

    def close(self) -> None:
        pass


class LiveTable:
    """The last prediction of each symbol, updated in place; notices scroll above it."""

    def __init__(self) -> None:
        from rich.live import Live

        self._last: dict[str, dict[str, Any]] = {}
        self._live = Live(auto_refresh=False)
        self._live.start()

    def show(self, messages: Sequence[dict[str, Any]]) -> None:
        self._last.update({message["symbol"]: message for message in messages})
        self._live.update(live_table(list(self._last.values())), refresh=True)

    def notice(self, text: str) -> None:
        self._live.console.print(text, markup=False, highlight=False)

    def close(self) -> None:
        self._live.stop()


def live_table(messages: Sequence[dict[str, Any]]) -> "Table":
    """A row for each message, in the order of the symbols."""
    from coinfarm.cli.tables import numeric_table

    title = f"{messages[0]['exchange']} {messages[0]['interval']}, closed candles (UTC)" if messages else ""
    table = numeric_table(title, "symbol", "candle", "close", "max rise", "max decline", "end change", "in sample", "after", "model")
    for message in sorted(messages, key=lambda each: str(each["symbol"])):
        table.add_row(*_cells(message))
    return table


def _cells(message: dict[str, Any]) -> list[str]:
    candle, predicted = message["candle"], message["predictions"]
    cells = [message["symbol"], minute_text(candle["openTime"]), f"{candle['close']:g}"]
    if predicted is None:
        return [*cells, *["–"] * 6]
    values = [f"{predicted[name]:+.2f} %" for name in ("maxRisePct", "maxDeclinePct", "endChangePct")]
    in_sample = {None: "?", True: "yes", False: "no"}[message["inSample"]]
    delay_s = (message["predictedAt"] - message["closeTime"]) / 1000
    delay = f"{number_text(delay_s, 2)} s" if delay_s < 10 else duration_text(delay_s)
    return [*cells, *values, in_sample, delay, message["modelVersion"]]
