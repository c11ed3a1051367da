"""Parses times as tools write them, and decides from the whole file which of two numbers is the day."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

_NOON = 12
DAY_FIRST, MONTH_FIRST = "day", "month"
MAX_EXAMPLES = 3
# Beyond these the number counts milliseconds, or microseconds.
MILLISECONDS, _MICROSECONDS = 100_000_000_000, 100_000_000_000_000
_POWER = re.compile(r"\d(?:\.\d+)?E\+?\d{1,2}", re.IGNORECASE)
_NANOSECONDS = 100_000_000_000_000_000
# Seconds or milliseconds with their thousands separated.
_THOUSANDS = re.compile(r"[1-9](?:[.,'\u2019\u00a0\u202f ]\d{3}){3,4}")
_NUMBER = re.compile(r"\d{9,20}(?:\.\d*)?")
# Days since 1899, as spreadsheets keep dates: those of 1995 to 2064.
_SERIAL = re.compile(r"(3[5-9]\d{3}|[45]\d{4})(?:[.,](\d+))?")
_FIRST_DAY = 25_569
_COMPACT = re.compile(r"(?:19|20)\d{6}")
_CLOCK = re.compile(
    r"(\d{1,2})[:.h時](\d{2})(?:[:.分](\d{2})(?:[.,]\d+)?)?(?:\s*([apπμ])\.?\s?[mμ](?:\b\.?|\.))?", re.IGNORECASE
)
# A zone by its city, in brackets or not, behind the time.
_CITY = re.compile(r"[\[(]?\b([A-Z][A-Za-z_]+(?:/[A-Za-z_+\-0-9]+){1,2})[\])]?$")
_LONGEST = 100
_TOLD_OFFSET = re.compile(r":\d\d(?:[.,]\d+)?\s?(?:Z|[+-]\d\d:?\d\d)$")
# Markers before the time in East Asia: before and after noon.
_HALF = re.compile(r"(?:(오전|上午|午前|凌晨|早上)|(오후|下午|午後|晚上))\s?")
_OFFSET = re.compile(r"(?:GMT|UTC|(?<!\s)\s|^)\s*+([+-])(\d{2}):?(\d{2})\b")
_YEAR_FIRST = re.compile(r"(\d{4})(?:[./-]\s?|\s?[年년]\s?)(\d{1,2})(?:[./-]\s?|\s?[月월]\s?)(\d{1,2})(?!\d)")
_YEAR_LAST = re.compile(r"(\d{1,2})\s?([./-])\s?(\d{1,2})\s?[./-]\s?(\d{4}|\d{2})(?!\d)")
_SHORT_NAMED = re.compile(r"(\d{1,2})[\s./-]+([^\W\d_]{3,})\.?[\s./'\u2019-]+(\d{2})(?!\d)")
_WORD = re.compile(r"[^\W\d_]{3,}")
_NUMBERS = re.compile(r"\d+")
# First letters of the months in the languages of Europe, longer where two languages differ.
_MONTHS = (
    "jan ene gen sty янв ian jaa led tam oca січ ιαν", "feb fév fev lut фев úno hel şub лют φεβ vee vel",  # noqa: RUF001
    "mar mär mrt maa мар már bře бер μαρ ožu", "apr avr abr kwi апр ápr dub huh nis кві απρ tra",  # noqa: RUF001
    "may mai mag maj mei май мая máj kvě tou тра μαΐ μάι μαϊ svi",
    "jun juin giu cze июн jún iun juun červn červen kes haz чер ιουν lipn",  # noqa: RUF001
    "jul juil lug lip июл júl iul juul července červenec hei tem лип ιουλ srpnj",
    "aug août aou ago sie авг avg srp elo ağu сер αυγ kol", "sep set wrz сен sze zář syy eyl вер σεπ ruj",  # noqa: RUF001
    "oct okt out ott paź окт říj lok eki жов οκτ", "nov lis ноя noi marr kas νοε stu",
    "dec dez déc dic gru дек des det pro jou ara гру δεκ",  # noqa: RUF001
)  # fmt: skip
# Hours that clocks are ahead of UTC, by the usual names of their zones.
_ZONES = {"wet": 0, "west": 1, "bst": 1, "cet": 1, "mez": 1, "cest": 2, "mesz": 2, "eet": 2, "eest": 3, "msk": 3,
          "jst": 9, "kst": 9, "aest": 10, "aedt": 11, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7,
          "mdt": -6, "pst": -8, "pdt": -7}  # fmt: skip
_ZONE = re.compile(rf"[\s(]({'|'.join(_ZONES)})\b", re.IGNORECASE)
_MONTH_OF = {start: number for number, starts in enumerate(_MONTHS, start=1) for start in starts.split()}
_LONGEST_START = max(map(len, _MONTH_OF))
# Direction marks, found in dates of right-to-left languages.
_DIRECTIONS = dict.fromkeys(map(ord, "\u200e\u200f\u061c"))


@dataclass
class Times:
    """Reads the times of one file. ``order``: what the listener said about day and month, "" where not asked.

    ``zone``: the time zone of a player's clock that tells none, "" where times are UTC's. ``examples``: the first times
    whose day and month cannot be told apart; ``orders``: what others of the file show.
    """

    order: str = ""
    zone: str = ""
    examples: list[str] = field(default_factory=list)
    orders: set[str] = field(default_factory=set)
    # Whether any time was three numbers of which the year is the last.
    is_numeric: bool = False
    # Whether the last time that was read had seconds.
    has_seconds: bool = True

    def read(self, value: Any) -> int | None:
        """Return whole seconds since 1970 of any common notation, without a zone in UTC; ``None`` for no time."""
        self.has_seconds = True
        if not isinstance(value, str):
            return _of_number(value)
        text = value.strip()
        if serial := _SERIAL.fullmatch(text):
            # Fewer decimals are less than a second.
            self.has_seconds = len(serial[2] or "") > 4
            return round((float(text.replace(",", ".")) - _FIRST_DAY) * 86_400)
        if _THOUSANDS.fullmatch(text):
            text = re.sub(r"\D", "", text)
        if _NUMBER.fullmatch(text):
            return _of_number(int(text.split(".")[0]))
        if _POWER.fullmatch(text):
            return _of_number(float(text))
        try:
            moment = self._moment(text)
        except (ValueError, OverflowError):
            return None
        return None if moment is None else int(moment.timestamp())

    def read_clock(self, value: Any) -> int | None:
        """Return what :meth:`read` does for seconds of a local clock in ``zone``."""
        at = self.read(value)
        if at is None or not self.zone:
            return at
        return int(datetime.fromtimestamp(at, UTC).replace(tzinfo=ZoneInfo(self.zone)).timestamp())

    def settle(self) -> str:
        """Return the order that the file's own times show; "" where they show none, or both."""
        return next(iter(self.orders)) if len(self.orders) == 1 else ""

    def _moment(self, text: str) -> datetime | None:
        if "/" in text and len(text) < _LONGEST and (city := _CITY.search(text)):
            return self._of_city(text[: city.start()].rstrip(), city[1])
        iso = iso_moment(text)
        if iso is not None:
            self.has_seconds = text.count(":") > 1 or "T" not in text.upper().replace(" ", "T")
            return iso
        text = text.translate(_DIRECTIONS)
        half = _HALF.search(text)
        text = _HALF.sub("", text)
        clock = _CLOCK.search(_without_date(text))
        before, behind = _around(text, clock)
        date = self._date(before, text) or self._date(f"{before} {behind}".strip(), text)
        if date is None:
            return None
        self.has_seconds = clock is not None and clock[3] is not None
        return datetime(*date, *_time_of(clock, half), tzinfo=_zone_of(text, clock))

    def _of_city(self, text: str, zone: str) -> datetime | None:
        """Return the moment of a time in the zone of a city; an offset that the time tells holds, too.

        Raise ``ValueError`` where there is no such zone.
        """
        moment = self._moment(text)
        if zone not in available_timezones():
            raise ValueError(zone)
        return moment if moment is None or _TOLD_OFFSET.search(text) else moment.replace(tzinfo=ZoneInfo(zone))

    def _date(self, text: str, whole: str) -> tuple[int, int, int] | None:
        if match := _YEAR_FIRST.search(text):
            return int(match[1]), int(match[2]), int(match[3])
        if match := _YEAR_LAST.search(text):
            return self._year_last(match, whole)
        if _COMPACT.fullmatch(text):
            return int(text[:4]), int(text[4:6]), int(text[6:])
        return _named(text)

    def _year_last(self, match: "re.Match[str]", text: str) -> tuple[int, int, int]:
        self.is_numeric = True
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        year += 2000 if year < 100 else 0
        if first > 12 or second > 12:
            order = DAY_FIRST if first > 12 else MONTH_FIRST
            self.orders.add(order)
        elif first == second:
            order = DAY_FIRST
        else:
            # With full stops the day always comes first.
            order = self.order or (DAY_FIRST if match[2] == "." else "")
            if not order:
                if len(self.examples) < MAX_EXAMPLES and text not in self.examples:
                    self.examples.append(text)
                raise ValueError(text)
        return (year, second, first) if order == DAY_FIRST else (year, first, second)


def iso_moment(value: Any) -> datetime | None:
    """Return the moment of ISO 8601 text, also with `` UTC`` behind it; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        if not isinstance(value, str) or not value.endswith((" UTC", " GMT", " Z", "Z[UTC]")):
            return None
        return iso_moment(re.sub(r"\s?(UTC|GMT|Z|Z\[UTC\])$", "", value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def iso_seconds(value: Any) -> int | None:
    """Return whole seconds since 1970 of ISO 8601 text."""
    moment = iso_moment(value)
    return None if moment is None else int(moment.timestamp())


def _of_number(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 100 * _NANOSECONDS:
        return None
    if value > _NANOSECONDS:
        return int(value // 1_000_000_000)
    if value > _MICROSECONDS:
        return int(value // 1_000_000)
    return int(value // 1000 if value > MILLISECONDS else value)


def _named(text: str) -> tuple[int, int, int] | None:
    """Return the date of ``26 Feb 2019``, ``Tue, Feb 26 2019``, ``26. Februar 2019``, ``26-Feb-19``."""
    if (short := _SHORT_NAMED.fullmatch(text)) and (month := _month(short[2])):
        return 2000 + int(short[3]), month, int(short[1])
    # The last such word, because in several languages Tuesday, which comes before it, begins like March.
    month = next((number for word in reversed(_WORD.findall(text)) if (number := _month(word))), None)
    numbers = _NUMBERS.findall(text)
    year = next((number for number in numbers if len(number) == 4), None)
    day = next((number for number in numbers if len(number) < 3), None)
    if month is None or year is None or day is None:
        return None
    return int(year), month, int(day)


def _month(word: str) -> int | None:
    word = word.lower()
    return next((_MONTH_OF[word[:end]] for end in range(_LONGEST_START, 2, -1) if word[:end] in _MONTH_OF), None)


def _time_of(clock: "re.Match[str] | None", half: "re.Match[str] | None") -> tuple[int, int, int]:
    if clock is None:
        return 0, 0, 0
    hour = int(clock[1])
    if half is not None and hour <= _NOON:
        hour = hour % _NOON + (_NOON if half[2] else 0)
    elif clock[4]:
        hour = hour % _NOON + (_NOON if clock[4].lower() in "pμ" else 0)
    return hour, int(clock[2]), int(clock[3] or 0)


def _zone_of(text: str, clock: "re.Match[str] | None") -> timezone:
    # Only after the time, because dates contain dashes as well.
    behind = text[text.find(clock[0]) + len(clock[0]) :] if clock else ""
    offset = _OFFSET.search(behind)
    if offset is None and (named := _ZONE.search(f" {behind}")):
        return timezone(timedelta(hours=_ZONES[named[1].lower()]))
    if offset is None:
        return UTC
    distance = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
    return timezone(distance if offset[1] == "+" else -distance)


def _without_date(text: str) -> str:
    return _YEAR_FIRST.sub(" ", text) if _YEAR_FIRST.search(text) else _YEAR_LAST.sub(" ", text)


def _around(text: str, clock: "re.Match[str] | None") -> tuple[str, str]:
    """Return the text before the time and the text after it, without the UTC offset."""
    if clock is None:
        return text, ""
    start = text.find(clock[0])
    behind = _OFFSET.sub(" ", text[start + len(clock[0]) :])
    return text[:start].strip(" ,T"), behind.strip(" ,")
