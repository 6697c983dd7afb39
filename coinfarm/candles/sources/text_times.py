"""Dates and times of day as text. Both repeat in a file of candles, so each spelling is parsed once."""

import re
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

_DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()
_YEAR_FIRST = re.compile(r"(\d{4})[-./]?(\d\d?)[-./]?(\d\d?)")
_YEAR_LAST = re.compile(r"(\d\d?)([-./])(\d\d?)\2(\d{4}|\d\d)")
_SHORT_YEAR = re.compile(r"(\d\d?)([-./])(\d\d?)\2(\d\d)")
_WITH_MONTH = re.compile(r"(?:(\d\d?)[ -])?([A-Za-z]{3})[a-z]*[ -](?:(\d\d?),? )?(\d{4}|\d\d)")
_MONTHS = {name: at for at, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)}
_CLOCK = re.compile(
    r"(?P<hour>\d\d?)(?:[:h]?(?P<minute>\d\d))?(?:[:]?(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:[ -]?(?P<half>[AaPp])[Mm])?\s*(?P<zone>Z|UTC|GMT)?(?:(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)?)?"
)


class DateFormats:
    """The dates of a file, whose order of day and month is found over all of them."""

    def __init__(self, dates: Iterable[str]) -> None:
        self._dates = {text: self._numbers(text) for text in set(dates)}
        ambiguous = [numbers for numbers in self._dates.values() if numbers and numbers[0] is None]
        day_first = any(numbers[1] > 12 for numbers in ambiguous)
        month_first = any(numbers[2] > 12 for numbers in ambiguous)
        dotted = any("." in text for text in self._dates)
        self.is_ambiguous = bool(ambiguous) and not dotted and day_first == month_first
        self.is_ambiguous |= self._may_begin_with_year(dotted)
        self._is_day_first = day_first or dotted
        self.hint = (
            "it may be day/month or month/day, or begin with the year: write dates like 2018-01-22"
            if self.is_ambiguous
            else "write times like 2018-01-22 00:00:00, or as milliseconds since 1970"
        )
        self._days = {text: self._ms(numbers) for text, numbers in self._dates.items()}

    def day_ms(self, text: str) -> int | None:
        """Milliseconds since 1970 of a date; None if it is none."""
        return self._days[text]

    def _may_begin_with_year(self, dotted: bool) -> bool:
        """Whether dates such as 24/01/02 may be of 2024: what comes first changes less often than what comes last."""
        short = [
            (numbers[1], numbers[2], numbers[3] % 100) for text, numbers in self._dates.items() if numbers and _SHORT_YEAR.fullmatch(text)
        ]
        if not short or any(not (1 <= middle <= 12 and 1 <= last <= 31) for _, middle, last in short):
            return False
        firsts, lasts = ({numbers[at] for numbers in short} for at in (0, 2))
        return len(firsts) < len(lasts) or (len(firsts) == len(lasts) and not dotted)

    def _ms(self, numbers: "tuple[int | None, int, int, int] | None") -> int | None:
        if numbers is None or (numbers[0] is None and self.is_ambiguous):
            return None
        kind, first, second, year = numbers
        day, month = (second, first) if kind == 0 or (kind is None and not self._is_day_first) else (first, second)
        try:
            return (date(year, month, day).toordinal() - _EPOCH) * _DAY_MS
        except ValueError:
            return None

    @staticmethod
    def _numbers(text: str) -> "tuple[int | None, int, int, int] | None":
        """(0, month, day, year), or (None, first, second, year) where the order of day and month is open."""
        if match := _YEAR_FIRST.fullmatch(text):
            return 0, int(match[2]), int(match[3]), int(match[1])
        if match := _YEAR_LAST.fullmatch(text):
            return None, int(match[1]), int(match[3]), _full_year(match[4])
        if (match := _WITH_MONTH.fullmatch(text)) and match[2].lower() in _MONTHS and (match[1] or match[3]):
            return 0, _MONTHS[match[2].lower()], int(match[1] or match[3]), _full_year(match[4])
        return None


class TimeOfDay(NamedTuple):
    """Milliseconds since midnight, and the zone's offset from UTC."""

    milliseconds: int
    offset_ms: int
    has_zone: bool


class ClockFormats:
    """Times of day, each spelling parsed once."""

    def __init__(self) -> None:
        self._known: dict[str, TimeOfDay | None] = {"": TimeOfDay(0, 0, False)}

    def parse(self, text: str) -> TimeOfDay | None:
        """None if the text is no time of day."""
        if text not in self._known:
            self._known[text] = _time_of_day(text)
        return self._known[text]


def _time_of_day(text: str) -> TimeOfDay | None:
    match = _CLOCK.fullmatch(text.strip())
    if not match:
        return None
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"] in "Pp" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    milliseconds = ((hour * 60 + minute) * 60 + second) * 1000 + int((match["fraction"] or "0").ljust(3, "0")[:3])
    offset = (int(match["hours"] or 0) * 60 + int(match["minutes"] or 0)) * 60_000
    return TimeOfDay(milliseconds, -offset if match["sign"] == "-" else offset, bool(match["zone"] or match["sign"]))


def _full_year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)
