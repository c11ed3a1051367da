"""Decides how numbers, lengths and dates are written in their columns."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from catalog.importing.reading.layout import (
    DURATION_FIELDS,
    DURATION_UNITS,
    NUMBERS,
    SHARES,
    Layout,
    is_percent_heading,
)
from catalog.importing.reading.numbers import DAY_MS, SURELY_MS, implausible_unit, shown, to_clock_ms, to_number
from catalog.importing.reading.profile.artists import decide_artists
from catalog.importing.reading.profile.sample import Sample
from catalog.importing.reading.values import DAYS, SHORT_DATE, parse_year

_TEN = 10
_OFTEN_HIGH = frozenset({"danceability", "energy", "valence"})
# As milliseconds it would be almost three hours in the middle of all songs.
_SURELY_US = 10_000_000
_MINUTES_FIRST = re.compile(r"0?[1-9][0-9]?:[0-9]{2}:00(?:\.0+)?")
_LONGEST_IN_MINUTES = 30
# Below it, a number under the heading "duration_ms" would be less than a second.
_SHORTEST_MS = 1000
_DOUBTFUL_WORDS = frozenset({"none", "null", "na", "n/a", "nil", "unknown", "nan", "?", "-", "--"})
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})|[+-]?0,[0-9]+")
_DECIMAL_POINT = re.compile(r"[+-]?[0-9]*\.(?:[0-9]{1,2}|[0-9]{4,})(?:[eE][+-]?[0-9]+)?|[+-]?0?\.[0-9]+")


def decide_formats(sample: Sample, layout: Layout) -> Layout:
    """Return ``layout`` with all that the values tell."""
    columns = layout.columns
    _note_decimals(sample, [column for name, column in columns.items() if name in NUMBERS])
    if "loudness" in columns and _is_no_loudness(sample, columns["loudness"]):
        sample.note(_("%(used)s isn't in dB and wasn't used"), used=columns["loudness"])
        columns = {name: column for name, column in columns.items() if name != "loudness"}
    layout = replace(
        layout,
        columns=columns,
        decimal_commas=frozenset(name for name, column in columns.items() if column in sample.commas),
        scales=_scales(sample, columns),
        percent_by_sign=frozenset(name for name in SHARES if name in columns and _is_signed(sample, columns[name])),
        has_popularity_shares="popularity" in columns and _are_shares(sample, columns["popularity"]),
        nothing=_nothing(sample, columns),
        has_minutes_first=any(_has_minutes_first(sample, columns[name]) for name in DURATION_FIELDS if name in columns),
        has_year_first="release_year" in columns and _has_year_first(sample, columns["release_year"]),
        duration_unit_ms=_unit(sample, columns),
    )
    layout = decide_artists(sample, layout)
    if "duration_ms" in columns and layout.duration_unit_ms is None:
        _note_short_durations(sample, columns["duration_ms"])
    return replace(layout, notes=(*sample.notes, *layout.notes))


def _note_decimals(sample: Sample, places: Sequence[int]) -> None:
    """Note which columns have a decimal comma: those with one and no point, and then those with neither."""
    commas = {column for column in places if any(map(_DECIMAL_COMMA.fullmatch, sample.texts[column]))}
    points = {column for column in places if any(map(_DECIMAL_POINT.fullmatch, sample.texts[column]))}
    if not commas - points:
        return
    if points:
        sample.commas = commas - points
        names = ", ".join(sample.headings[column] for column in sorted(sample.commas))
        sample.notes.append(_("%(columns)s: decimal comma") % {"columns": names})
    else:
        sample.commas = set(places)
        sample.notes.append(_("numbers have a decimal comma: 215.000 is 215 thousand"))


def _is_no_loudness(sample: Sample, column: int) -> bool:
    """Return whether a loudness was scaled: no song is as loud as the loudest possible sound."""
    numbers = sample.numbers(column)
    return any(numbers) and all(0 <= number <= 1 for number in numbers)


def _is_signed(sample: Sample, column: int) -> bool:
    """Return whether a sign, and not the heading, says that values are per cent."""
    has_sign = any(text.endswith("%") for text in sample.texts[column])
    return has_sign and not is_percent_heading(sample.headings[column])


def _are_shares(sample: Sample, column: int) -> bool:
    numbers = sample.numbers(column)
    return any(number % 1 for number in numbers) and all(0 <= number <= 1 for number in numbers)


def _scales(sample: Sample, columns: Mapping[str, int]) -> dict[str, int]:
    """Return what stands for 1 in features that are not written as shares."""
    out_of_ten = _out_of_ten(sample, columns)
    if out_of_ten:
        names = ", ".join(sample.headings[columns[name]] for name in out_of_ten)
        sample.notes.append(_("%(columns)s: out of ten") % {"columns": names})
        return dict.fromkeys(out_of_ten, 10)
    return dict.fromkeys(_percent(sample, columns), 100)


def _out_of_ten(sample: Sample, columns: Mapping[str, int]) -> list[str]:
    """Return the features out of ten: fractions, most above 1, and in no such column more than ten."""
    features: list[str] = []
    for name in SHARES:
        numbers = sample.numbers(columns[name]) if name in columns else []
        above = sum(number > 1 for number in numbers)
        if not above:
            continue
        is_percent = is_percent_heading(sample.headings[columns[name]]) or _is_signed(sample, columns[name])
        if is_percent or max(numbers) > _TEN or above * 2 < len(numbers):
            return []
        if any(number % 1 for number in numbers):
            features.append(name)
    # Values that are hardly ever above ten per cent decide nothing.
    return features if _OFTEN_HIGH & set(features) else []


def _percent(sample: Sample, columns: Mapping[str, int]) -> frozenset[str]:
    """Return the features that are written as per cent: by heading, by sign, or as all their values say."""
    certain: set[str] = set()
    whole: set[str] = set()
    shares = [name for name in SHARES if name in columns]
    for name in shares:
        column = columns[name]
        numbers = sample.numbers(column)
        is_whole = bool(numbers) and all(0 <= number <= 100 and number == int(number) for number in numbers)
        is_said = is_percent_heading(sample.headings[column]) or any(
            text.endswith("%") for text in sample.texts[column]
        )
        above = sum(number > 1 for number in numbers)
        if is_said or (numbers and max(numbers) <= 100 and above * 2 >= len(numbers)):
            certain.add(name)
        elif is_whole:
            whole.add(name)
    # Where most columns are, one that is hardly ever above 1 is as well.
    percents = certain | whole if len(certain) * 2 >= len(shares) else certain
    if percents:
        names = ", ".join(sample.headings[columns[name]] for name in shares if name in percents)
        sample.notes.append(_("%(columns)s: per cent") % {"columns": names})
    return frozenset(percents)


def _nothing(sample: Sample, columns: Mapping[str, int]) -> frozenset[str]:
    """Return words such as "None" that are no name in this file, as several of its columns hold them.

    Songs are called all of these.
    """
    held: defaultdict[str, set[int]] = defaultdict(set)
    for name, column in columns.items():
        for text in set(sample.texts[column]):
            if text.lower() in _DOUBTFUL_WORDS and name != "title":
                held[text].add(column)
    return frozenset(text for text, places in held.items() if len(places) > 1)


def _unit(sample: Sample, columns: Mapping[str, int]) -> float | None:
    """Return the milliseconds of the unit of lengths, ``None`` for that of the heading."""
    for name in DURATION_FIELDS:
        if name not in columns:
            continue
        column = columns[name]
        unit = implausible_unit(sample.numbers(column), DURATION_UNITS.get(name, 1))
        if unit == DAY_MS:
            sample.note(_("%(used)s: parts of a day, as spreadsheets write times"), used=column)
        elif unit is not None:
            text = _("%(used)s: %(unit)s, as the values tell, not what the heading says")
            sample.note(text, used=column, unit=_("milliseconds") if unit == 1 else _("seconds"))
        elif name != "duration" and (long := _too_long(sample, column, DURATION_UNITS[name])):
            sample.note(_("%(used)s: %(example)s and the like are milliseconds"), used=column, example=long)
        return _duration_unit(sample, column) if unit is None and name == "duration" else unit
    return None


def _too_long(sample: Sample, column: int, unit_ms: int) -> str:
    """Return the first text that can only be milliseconds in a column of longer units, "" where there is none."""
    decimal = sample.decimal(column)
    texts = (text for text in sample.texts[column] if (to_number(text, decimal) or 0) >= SURELY_MS)
    return next(texts, "") if unit_ms > 1 else ""


def _duration_unit(sample: Sample, column: int) -> float:
    """Return the milliseconds of the unit that plain numbers under an open heading are in."""
    numbers = sorted(number for number in sample.numbers(column) if number > 0)
    middle = numbers[(len(numbers) - 1) // 2] if numbers else 0
    if middle >= _SURELY_US:
        sample.note(_("%(used)s: %(unit)s"), used=column, unit=_("microseconds"))
        return 0.001
    if not numbers or middle >= SURELY_MS:
        return 1
    small = [number for number in numbers if number < SURELY_MS]
    is_minutes = max(small) < _LONGEST_IN_MINUTES or middle < _LONGEST_IN_MINUTES / 2
    unit = _("minutes") if is_minutes else _("seconds")
    sample.note(_("%(used)s: %(unit)s"), used=column, unit=unit)
    return 60_000 if is_minutes else 1000


def _has_year_first(sample: Sample, column: int) -> bool:
    """Return whether the first of a date's three numbers of two digits is its year: it can only be in some."""
    dates = [date for date in map(SHORT_DATE.fullmatch, sample.texts[column]) if date]
    firsts, lasts = ([int(date[group]) for date in dates] for group in (1, 3))
    is_first = any(number > DAYS for number in firsts) and all(number <= DAYS for number in lasts)
    for date in dates[:1]:
        year = parse_year(date[0], has_year_first=is_first)
        sample.note(_("%(used)s: %(example)s is of %(year)s"), used=column, example=shown(date[0]), year=year)
    return is_first


def _has_minutes_first(sample: Sample, column: int) -> bool:
    """Return whether 03:45:00 is minutes and seconds in a column: no song in it has seconds, all have hours."""
    clocks = [text for text in sample.texts[column] if text.count(":") > 1]
    if not clocks or not all(map(_MINUTES_FIRST.fullmatch, clocks)):
        return False
    sample.note(_("%(used)s: %(example)s is read as minutes and seconds"), used=column, example=clocks[0])
    return True


def _note_short_durations(sample: Sample, column: int) -> None:
    decimal = sample.decimal(column)
    texts = [text for text in sample.texts[column] if 0 < (to_number(text, decimal) or 0) < _SHORTEST_MS]
    if texts:
        text = _("%(used)s: %(example)s and the like are taken as milliseconds, as the heading says")
        sample.note(text, used=column, example=shown(texts[0]))
    if any(to_clock_ms(text) for text in sample.texts[column]):
        sample.note(_("%(used)s: 3:45 is read as minutes and seconds"), used=column)
