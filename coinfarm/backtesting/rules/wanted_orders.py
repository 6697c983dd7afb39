"""The orders that a rule wants, checked."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from coinfarm.backtesting.rules.user_rule import invalid_result
from coinfarm.candles.arrays import Values
from coinfarm.errors import shortened

_FIELDS = ("side", "stop_pct", "take_profit_pct", "stake_share")


class WantedOrders(NamedTuple):
    """What a strategy wants at each prediction, `(n,)`: the side, 1 (long), 0 (no entry) or -1 (short), and optionally the distances of
    stop and take-profit from the entry price in percent, and the share of the full stake. None leaves it to the strategy's fields.
    """

    side: NDArray[np.int8]
    stop_pct: Values | None = None
    take_profit_pct: Values | None = None
    stake_share: Values | None = None


def checked_orders(rule: Callable[..., Any], returned: Any, count: int | None, *, allow_short: bool) -> WantedOrders:
    """What a rule returned for `count` predictions, sides or a mapping with sides; for None, numbers for one. Raises `RuleError`."""
    fields: Mapping[str, Any] = returned if isinstance(returned, Mapping) else {"side": returned}
    if unknown := [name for name in fields if name not in _FIELDS]:
        raise invalid_result(rule, f"returned the unknown field {unknown[0]!r}: it may return {', '.join(_FIELDS)}")
    if "side" not in fields:
        raise invalid_result(rule, "returned a mapping without side")
    side = _numbers(rule, "side", fields["side"], count)
    _check(rule, "side", side, np.isin(side, (-1, 0, 1)), "1 (long), 0 (no entry) or -1 (short)")
    if not allow_short:
        _check(rule, "side", side, side >= 0, "1 or 0: short positions need allow_short = true under [entry]")
    wanted = side != 0
    others: dict[str, Values] = {}
    for name in _FIELDS[1:]:
        if fields.get(name) is None:
            continue
        values = _numbers(rule, name, fields[name], count)
        if name == "stake_share":
            _check(rule, name, values, ~wanted | (values >= 0) & (values <= 1), "from 0 to 1")
        else:
            _check(rule, name, values, ~wanted | (values > 0), "above 0 (infinite for none)")
        others[name] = values
    return WantedOrders(side.astype(np.int8), **others)


def _numbers(rule: Callable[..., Any], name: str, returned: Any, count: int | None) -> Values:
    """The values as floats `(count,)`, or `(1,)` for None; a single number other than a side holds for all."""
    try:
        values = np.asarray(returned)
    except (TypeError, ValueError):  # such as lists of different lengths
        values = np.asarray(None)
    valid_shape = values.shape == () if count is None else values.shape == (count,) or (values.shape == () and name != "side")
    if values.dtype.kind not in "biuf" or not valid_shape:
        expected = "a number" if count is None else f"an array of {count} numbers"
        shape = f"an array of shape {values.shape}" if values.shape else f"{shortened(repr(returned), 80)}"
        raise invalid_result(rule, f"{name} must be {expected}, not {shape}{f' and type {values.dtype}' if values.shape else ''}")
    found: Values = np.broadcast_to(values, (1 if count is None else count,)).astype(np.float64)
    return found


def _check(rule: Callable[..., Any], name: str, values: Values, valid: NDArray[np.bool_], expected: str) -> None:
    if not valid.all():
        row = int(np.argmin(valid))
        raise invalid_result(rule, f"{name} must be {expected}, but is {values[row]:g} in row {row}")
