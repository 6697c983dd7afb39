"""Candle intervals as values of options."""

from typing import Any

import click


class IntervalType(click.types.StringParamType):
    """An interval in any spelling, such as `1h` or `60m`; its value is the canonical one."""

    name = "interval"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from coinfarm.candles.interval import canonical_interval
        from coinfarm.errors import InvalidInput

        try:
            return canonical_interval(value)
        except InvalidInput as error:
            self.fail("; ".join(item.detail for item in error.errors), param, ctx)


class IntervalsType(IntervalType):
    """Intervals separated by commas, such as `5m,1h`; the value has each once, from the shortest to the longest."""

    name = "intervals"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from coinfarm.candles.interval import canonical_intervals

        if isinstance(value, tuple):
            return value
        return canonical_intervals(super(IntervalsType, self).convert(part.strip(), param, ctx) for part in value.split(","))


INTERVAL = IntervalType()
INTERVALS = IntervalsType()
