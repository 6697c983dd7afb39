"""Numbers with a unit, as web pages and spreadsheets write them: `$7,999.30`, `1.2K`, `7999.3 USD`."""

import re

from coinfarm.candles.coins import COINS, QUOTES

_FACTORS = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
_SIGNS = "$€£¥₹₩₽₺₿"
_UNIT = rf"(?:[{_SIGNS}]|(?<![A-Za-z])[A-Z]{{2,6}}(?![A-Za-z]))"
_QUANTITY = re.compile(
    rf"(?P<before>{_UNIT})?\s*(?P<number>[-+]?(?:\d[\d.,' \u00a0\u202f]*)?\d)\s*(?P<factor>[KkMmBbTt])?\s*(?P<after>{_UNIT})?"
)
_POINT = re.compile(r"[-+]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?")


def quantity(text: str) -> float | None:
    """The value of a number with a unit or a factor, decimals behind a point; None for any other text."""
    match = _QUANTITY.fullmatch(text.strip())
    if not match or not _has_unit(match) or not _POINT.fullmatch(match["number"]):
        return None
    if "," in match["number"] and "." not in match["number"]:
        return None  # the comma may be a decimal sign
    return float(match["number"].replace(",", "")) * _FACTORS[(match["factor"] or "").upper()]


def without_unit(text: str) -> str:
    """The number in a quantity, as it is written; any other text as it is."""
    match = _QUANTITY.fullmatch(text)
    return match["number"] if match and _has_unit(match) else text


def _has_unit(match: "re.Match[str]") -> bool:
    """Whether there is a unit or a factor, and the unit is a currency or a coin."""
    units = [unit for unit in (match["before"], match["after"]) if unit]
    return bool(units or match["factor"]) and all(unit in _SIGNS or unit in QUOTES or unit in COINS for unit in units)
