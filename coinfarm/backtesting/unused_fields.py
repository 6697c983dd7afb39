"""Fields of a strategy that have no effect, given its other fields: one table, for files, for Python and for the register of trials."""

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel

from coinfarm.errors import CoinfarmError

if TYPE_CHECKING:
    from coinfarm.backtesting.strategy import Strategy


class Usage(NamedTuple):
    """What decides, besides the strategy's fields, which of them are used: a rule, the columns that it returns, and a sweep."""

    has_rule: bool = False
    returned: frozenset[str] = frozenset()
    is_sweep: bool = False


class _Unused(NamedTuple):
    """Fields, as patterns of dotted names, that have no effect if the condition holds, and why, with the remedy."""

    fields: tuple[str, ...]
    condition: "Callable[[Strategy, Usage], bool]"
    reason: str


def _returns(column: str) -> "Callable[[Strategy, Usage], bool]":
    return lambda _, usage: column in usage.returned


def _has_no_distance(strategy: "Strategy", usage: Usage) -> bool:
    """Whether neither stop nor take-profit is at a predicted distance."""
    shares = {"stop_pct": strategy.exit.stop_share, "take_profit_pct": strategy.exit.take_profit_share}
    return all(not share or column in usage.returned for column, share in shares.items())


def _is_within_total(strategy: "Strategy", _: Usage) -> bool:
    coin, total = strategy.size.max_coin_exposure_pct, strategy.size.max_exposure_pct
    return coin is not None and total is not None and coin >= total


_THRESHOLDS = ("entry.min_end_change_pct", "entry.min_rise_to_decline")
_SHORT_COSTS = ("borrow_bps_per_day", "liquidation_fee_bps")
_UNUSED = (
    _Unused(
        (*_THRESHOLDS, "selection.*"),
        lambda _, usage: usage.has_rule,
        "a rule takes the place of thresholds. Remove these, or the rule",
    ),
    _Unused(
        ("selection.*",),
        lambda strategy, usage: not usage.has_rule and not strategy.has_open_thresholds,
        "both thresholds are set, so none is chosen. Remove this, or a threshold",
    ),
    _Unused(
        ("selection.end_change_steps",),
        lambda strategy, _: strategy.has_open_thresholds and strategy.entry.min_end_change_pct is not None,
        "entry.min_end_change_pct is set, so no others are tried. Remove one of the two",
    ),
    _Unused(
        ("selection.rise_to_decline_steps",),
        lambda strategy, _: strategy.has_open_thresholds and strategy.entry.min_rise_to_decline is not None,
        "entry.min_rise_to_decline is set, so no others are tried. Remove one of the two",
    ),
    _Unused(
        (*_THRESHOLDS, "selection.end_change_steps", "selection.rise_to_decline_steps"),
        lambda _, usage: usage.is_sweep,
        "a sweep tries 20 values of each threshold. Remove these, or --sweep",
    ),
    _Unused(
        ("entry.limit_*",),
        lambda strategy, _: strategy.entry.order != "limit",
        'entries are market orders. Remove this, or set order = "limit" under [entry]',
    ),
    _Unused(("exit.stop_share",), _returns("stop_pct"), "the rule returns stop_pct. Remove the field, or the column"),
    _Unused(("exit.take_profit_share",), _returns("take_profit_pct"), "the rule returns take_profit_pct. Remove the field, or the column"),
    _Unused(
        ("exit.min_distance_pct",),
        _has_no_distance,
        "no stop or take-profit is at a predicted distance. Remove this, or use exit.stop_share or exit.take_profit_share",
    ),
    _Unused(("size.by", "size.full_edge_pct"), _returns("stake_share"), "the rule returns stake_share. Remove the field, or the column"),
    _Unused(
        ("size.full_edge_pct",),
        lambda strategy, _: strategy.size.by != "edge",
        'the full stake is always used. Remove this, or set by = "edge" under [size]',
    ),
    _Unused(
        ("size.max_coin_exposure_pct",),
        _is_within_total,
        "size.max_exposure_pct is no larger. Remove one of the two, or lower this",
    ),
    _Unused(
        ("market.maintenance_margin_pct", *(f"market.{scope}{name}" for scope in ("", "coins.*.") for name in _SHORT_COSTS)),
        lambda strategy, _: not strategy.entry.allow_short,
        "nothing is sold short. Remove this, or set allow_short = true under [entry]",
    ),
    _Unused(
        ("market.exchange",),
        lambda strategy, _: {"maker_fee_bps", "taker_fee_bps"} <= strategy.market.model_fields_set,
        "both fees are set. Remove it, or a fee",
    ),
)


def unused_fields_text(strategy: "Strategy", usage: Usage) -> str | None:
    """The given fields that have no effect, each with the reason and the remedy; None if there are none."""
    given, texts = list(_given(strategy)), []
    for each in _UNUSED:
        if (fields := [name for name in given if _matches(name, each.fields)]) and each.condition(strategy, usage):
            texts.append(f"{', '.join(fields)} would have no effect: {each.reason}")
            given = [name for name in given if name not in fields]
    return "; ".join(texts) or None


def check_unused_fields(strategy: "Strategy", usage: Usage) -> None:
    """Raises `CoinfarmError` that names the given fields that have no effect."""
    if text := unused_fields_text(strategy, usage):
        raise CoinfarmError(text)


def used_settings(strategy: "Strategy", symbol: str, usage: Usage) -> dict[str, Any]:
    """The settings that have an effect on a coin, as a JSON document without names: the same for strategies that trade alike, whatever
    else they say.
    """
    patterns = [field for each in _UNUSED if each.condition(strategy, usage) for field in each.fields]
    document = strategy.model_dump(mode="json", exclude={"name": True, "market": True, "entry": {"rule", "step_rule"}})
    document["market"] = strategy.market.for_coin(symbol).model_dump(mode="json", exclude={"exchange", "coins"})
    return _without(document, patterns, "")


def _without(table: Mapping[str, Any], patterns: list[str], prefix: str) -> dict[str, Any]:
    return {
        name: _without(value, patterns, f"{prefix}{name}.") if isinstance(value, Mapping) else value
        for name, value in table.items()
        if not _matches(f"{prefix}{name}", patterns)
    }


def _given(settings: BaseModel, prefix: str = "") -> Iterator[str]:
    """The dotted names of all fields that were given, in the order of their definition."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if name not in settings.model_fields_set or value is None:
            continue
        if isinstance(value, BaseModel):
            yield from _given(value, f"{prefix}{name}.")
        elif isinstance(value, Mapping):
            for key, inner in value.items():
                yield from _given(inner, f"{prefix}{name}.{key}.")
        else:
            yield f"{prefix}{name}"


def _matches(name: str, patterns: "tuple[str, ...] | list[str]") -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
