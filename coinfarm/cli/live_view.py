"""What `coinfarm watch` prints: a live table on a terminal, or JSON lines."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from coinfarm.candles.day import DAY_MS
from coinfarm.candles.interval import interval_ms
from coinfarm.cli.tables import fitted, numeric_table
from coinfarm.live.live_message import message_line
from coinfarm.reports.formatting import clock_text, duration_text, minute_text, number_text

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
        self._live.update(fitted(live_table(list(self._last.values())), self._live.console.width), refresh=True)

    def notice(self, text: str) -> None:
        self._live.console.print(text, markup=False, highlight=False)

    def close(self) -> None:
        self._live.stop()


def live_table(messages: Sequence[dict[str, Any]]) -> "Table":
    """A row for each message, in the order of the symbols; `after` is the time from the candle's close to the prediction."""
    title = " ".join(sorted({f"{message['exchange']} {message['interval']}" for message in messages}))
    versions = sorted({message["modelVersion"] for message in messages if message["modelVersion"]})
    caption = f"Last closed candles, UTC. Model {' and '.join(versions)}"
    table = numeric_table(title, "symbol", "candle", "close", "max rise", "max decline", "end change", "after", "sample", caption=caption)
    for message in sorted(messages, key=lambda each: str(each["symbol"])):
        table.add_row(*_cells(message))
    return table


def _time_text(time_ms: int, interval: str) -> str:
    """The time of day, or the day of a candle of a day."""
    return minute_text(time_ms)[:10] if interval_ms(interval) == DAY_MS else clock_text(time_ms)


def _cells(message: dict[str, Any]) -> list[str]:
    candle, predicted = message["candle"], message["predictions"]
    cells = [message["symbol"], _time_text(candle["openTime"], message["interval"]), f"{candle['close']:.7g}"]
    if predicted is None:
        return [*cells, *["–"] * 5]
    values = [f"{round(predicted[name], 2) + 0.0:+.2f} %" for name in ("maxRisePct", "maxDeclinePct", "endChangePct")]
    in_sample = {None: "?", True: "in", False: "out"}[message["inSample"]]
    delay_s = (message["predictedAt"] - message["closeTime"]) / 1000
    delay = f"{number_text(delay_s, 2)} s" if delay_s < 10 else duration_text(delay_s)
    return [*cells, *values, delay, in_sample]
