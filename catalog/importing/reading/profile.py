"""Decides from a sample of rows how the columns of a file are read.

Every decision is about a column as a whole: a number means seconds or milliseconds, per cent or a share, with a comma
before its decimals or between its thousands, because of what stands above and below it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from catalog.identity.commas import number_of_ids, parts_of
from catalog.identity.text import base_title, fold_name
from catalog.importing.reading.layout import (
    ARTIST_IDS,
    DURATION_FIELDS,
    DURATION_UNITS,
    FIELDS,
    NUMBERS,
    PLURAL,
    SHARES,
    Layout,
    LayoutError,
    candidates,
    heading_name,
    is_percent_heading,
    numbered_after,
)
from catalog.importing.reading.lists import is_bracketed, parse_list, unescaped
from catalog.importing.reading.numbers import (
    DAY_MS,
    SURELY_MS,
    implausible_unit,
    is_no_value,
    shown,
    to_clock_ms,
    to_number,
)
from catalog.importing.reading.values import DAYS, SHORT_DATE, is_id, parse_year

# Of two columns for one field the more specific wins, unless it is filled less than half as well.
_FILLED_ENOUGH = 0.5
_IDS_ENOUGH = 0.1
# Beyond this share of ids with several titles, a column holds no ids of songs.
_SEVERAL_TITLES = 0.25
_DATE = re.compile(r"[0-9]{4}(?:[-/.].*)?|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4}|.*\b(?:19|20)[0-9]{2}")
_DATES_ENOUGH = 0.8
_BARE_ID = re.compile(r"[0-9A-Za-z]{22}")
_TEN = 10
_OFTEN_HIGH = frozenset({"danceability", "energy", "valence"})
_SURE_TITLES = frozenset({"track_name", "song_name", "song_title", "track_title"})
_LISTS_PER_TITLE = 20
# As milliseconds it would be almost three hours in the middle of all songs.
_SURELY_US = 10_000_000
_MINUTES_FIRST = re.compile(r"0?[1-9][0-9]?:[0-9]{2}:00(?:\.0+)?")
_LISTS_ENOUGH = 0.8
_SEMICOLONS_ENOUGH = 20
_COUNTS_FIT = 0.95
# A pipe belongs to a name where hardly any field holds one, or hardly any of those that are parted by semicolons.
_PIPES_ENOUGH = 0.01
_SEMICOLONS_PER_PIPE = 20
_LONGEST_IN_MINUTES = 30
# Below it, a number under the heading "duration_ms" would be less than a second.
_SHORTEST_MS = 1000
_DOUBTFUL_WORDS = frozenset({"none", "null", "na", "n/a", "nil", "unknown", "nan", "?", "-", "--"})
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})|[+-]?0,[0-9]+")
_DECIMAL_POINT = re.compile(r"[+-]?[0-9]*\.(?:[0-9]{1,2}|[0-9]{4,})(?:[eE][+-]?[0-9]+)?|[+-]?0?\.[0-9]+")

Rows = Sequence[Sequence[str]]


def make_layout(headings: Sequence[str], rows: Rows, mapping: Mapping[str, str] | None = None) -> Layout:
    """Return how to read the columns under ``headings``, judged by the sample ``rows``.

    ``mapping`` names the heading of a field where the operator knows better; an empty one leaves the field out.

    Raises:
        LayoutError: no column for titles, or neither ids nor artists to tell songs apart by; or ``mapping`` names what
            is not there.
    """
    sample = _Sample(headings, rows)
    chosen = sample.chosen(_mapped(headings, mapping or {}))
    if "title" not in chosen or not {"spotify_id", "artists"} & chosen.keys():
        header = ",".join(headings)
        pattern = _(
            "no usable columns. The first line must name a title (track_name, name or title) and an ID (track_id) or "
            "artists. It is %(header)s. Use --map title=HEADING to name a column."
        )
        raise LayoutError(pattern % {"header": repr(header if len(header) <= 200 else header[:200] + "...")})
    layout = Layout(
        headings=tuple(headings),
        columns=chosen,
        more_artists=numbered_after(headings, chosen["artists"]) if "artists" in chosen else (),
        has_plural_artists="artists" in chosen and heading_name(headings[chosen["artists"]]) in PLURAL,
    )
    return sample.decided(layout)


def with_row_per_artist(layout: Layout) -> Layout:
    """Return ``layout`` with rows that each name one artist of their song, and a note that says so."""
    if layout.has_row_per_artist:
        return layout
    heading = layout.headings[layout.columns["artists"]]
    note = _("%(used)s: one row for each artist of a song") % {"used": heading}
    return replace(layout, has_row_per_artist=True, notes=(*layout.notes, note))


def _mapped(headings: Sequence[str], mapping: Mapping[str, str]) -> dict[str, int | None]:
    """Return the place of each field that ``mapping`` names, ``None`` for one that is left out."""
    places: dict[str, int | None] = {}
    for name, heading in mapping.items():
        if name not in FIELDS:
            text = _("--map %(name)s=%(heading)s: no field is called that. There are %(known)s.")
            raise LayoutError(text % {"name": name, "heading": heading, "known": ", ".join(FIELDS)})
        wanted = heading.strip()
        same = [column for column, known in enumerate(headings) if known == wanted] or [
            column for column, known in enumerate(headings) if heading_name(known) == heading_name(wanted) != ""
        ]
        if wanted and not same:
            text = _("--map %(name)s=%(heading)s: no column is called that. There are %(known)s.")
            raise LayoutError(text % {"name": name, "heading": heading, "known": ", ".join(headings)})
        places[name] = same[0] if wanted else None
    return places


class _Sample:
    """Some rows of a file, column by column."""

    def __init__(self, headings: Sequence[str], rows: Rows) -> None:
        self._headings = headings
        width = len(headings)
        self._texts = [[row[column].strip() for row in rows if len(row) > column] for column in range(width)]
        self._notes: list[str] = []
        # The columns with a decimal comma.
        self._commas: set[int] = set()

    # --- which column ------------------------------------------------------------------------------------------------
    def chosen(self, mapped: Mapping[str, int | None]) -> dict[str, int]:
        """Return the place of each field."""
        taken = set(mapped.values())
        columns: dict[str, int] = {}
        for name, places in candidates(self._headings).items():
            if name in mapped:
                continue
            column = self._best(name, [column for column in places if column not in taken])
            if column is not None:
                columns[name] = column
        columns.update({name: column for name, column in mapped.items() if column is not None})
        durations = [name for name in DURATION_FIELDS if name in columns]
        filled = [name for name in durations if self._filled(columns[name])] or durations
        for name in durations:
            if name != filled[0]:
                del columns[name]
        return {name: columns[name] for name in FIELDS if name in columns}

    def _best(self, name: str, places: Sequence[int]) -> int | None:
        if name == "spotify_id":
            return self._best_ids(places)
        if name in ("album", "release_year"):
            # A "release" is either.
            places = [column for column in places if self._may_be(name, column)]
        best = self._best_title(places) if name == "title" else self._best_of(places)
        for other in places:
            if other != best and best is not None and self._filled(other):
                self._note(_("%(used)s is the %(field)s, not %(other)s"), used=best, field=name, other=other)
        return best

    def _may_be(self, name: str, column: int) -> bool:
        if heading_name(self._headings[column]) != "release":
            return True
        return (self._share(column, lambda text: _DATE.fullmatch(text) is not None) >= _DATES_ENOUGH) == (
            name == "release_year"
        )

    def _best_title(self, places: Sequence[int]) -> int | None:
        """Return the best column; one that hardly varies under an open heading is the name of a list."""
        best = self._best_of(places)
        if best is None or heading_name(self._headings[best]) in _SURE_TITLES:
            return best
        counts = {column: len(set(self._texts[column])) for column in places}
        others = [
            column
            for column in places
            if (counts[best] == 1 < counts[column]) or counts[best] * _LISTS_PER_TITLE <= counts[column]
        ]
        return self._best_of(others) if others else best

    def _best_of(self, places: Sequence[int]) -> int | None:
        """Return the first of the columns that is filled well enough; ``None`` of none."""
        if not places:
            return None
        filled = {column: self._filled(column) for column in places}
        enough = _FILLED_ENOUGH * max(filled.values())
        return next(column for column in places if filled[column] >= enough)

    def _best_ids(self, places: Sequence[int]) -> int | None:
        """Return the column that holds Spotify's ids most often; ``None`` where no column does."""
        if places and not any(self._texts):
            return places[0]
        shares = {column: self._share(column, is_id) for column in places}
        best = max(places, key=lambda column: shares[column], default=None)
        if best is not None and self._is_of_others(best):
            self._note(_("%(used)s is the same for different songs: songs are known by title and artists"), used=best)
            return None
        if best is None or shares[best] < _IDS_ENOUGH:
            for column in places:
                if heading_name(self._headings[column]) in {
                    "id",
                    "track_id",
                    "song_id",
                    "spotify_id",
                    "spotify_track_id",
                }:
                    self._note(_("%(used)s holds no Spotify ids: songs are known by title and artists"), used=column)
            return None
        return best

    def _is_of_others(self, column: int) -> bool:
        """Return whether a column of bare ids is of artists or albums: many come with several titles."""
        if heading_name(self._headings[column]) not in {"id", "spotify_id"}:
            return False
        title = self._best_title(candidates(self._headings).get("title", []))
        if title is None:
            return False
        titles: defaultdict[str, set[str]] = defaultdict(set)
        for song_id, text in zip(self._texts[column], self._texts[title], strict=False):
            if _BARE_ID.fullmatch(song_id):
                titles[song_id].add(fold_name(base_title(text)))
        return sum(len(names) > 1 for names in titles.values()) > _SEVERAL_TITLES * len(titles)

    def _filled(self, column: int) -> float:
        return self._share(column, lambda text: not is_no_value(text), of_all=True)

    def _share(self, column: int, holds: Callable[[str], bool], *, of_all: bool = False) -> float:
        """Return the share of the texts for which ``holds``, by default of those that say something."""
        texts = self._texts[column] if of_all else [text for text in self._texts[column] if not is_no_value(text)]
        return sum(map(holds, texts)) / len(texts) if texts else 0.0

    # --- how it is written -------------------------------------------------------------------------------------------
    def decided(self, layout: Layout) -> Layout:
        """Return ``layout`` with all that the values tell."""
        columns = layout.columns
        self._note_decimals([column for name, column in columns.items() if name in NUMBERS])
        if "loudness" in columns and self._is_no_loudness(columns["loudness"]):
            self._note(_("%(used)s isn't in dB and wasn't used"), used=columns["loudness"])
            columns = {name: column for name, column in columns.items() if name != "loudness"}
        layout = replace(
            layout,
            columns=columns,
            decimal_commas=frozenset(name for name, column in columns.items() if column in self._commas),
            scales=self._scales(columns),
            percent_by_sign=frozenset(name for name in SHARES if name in columns and self._is_signed(columns[name])),
            has_popularity_shares="popularity" in columns and self._are_shares(columns["popularity"]),
            nothing=self._nothing(columns),
            has_minutes_first=any(
                self._has_minutes_first(columns[name]) for name in DURATION_FIELDS if name in columns
            ),
            has_year_first="release_year" in columns and self._has_year_first(columns["release_year"]),
            duration_unit_ms=self._unit(columns),
        )
        layout = self._with_artists(layout)
        if "duration_ms" in columns and layout.duration_unit_ms is None:
            self._note_short_durations(columns["duration_ms"])
        return replace(layout, notes=(*self._notes, *layout.notes))

    def _note_decimals(self, places: Sequence[int]) -> None:
        """Note which columns have a decimal comma: those with one and no point, and then those with neither."""
        commas = {column for column in places if any(map(_DECIMAL_COMMA.fullmatch, self._texts[column]))}
        points = {column for column in places if any(map(_DECIMAL_POINT.fullmatch, self._texts[column]))}
        if not commas - points:
            return
        if points:
            self._commas = commas - points
            names = ", ".join(self._headings[column] for column in sorted(self._commas))
            self._notes.append(_("%(columns)s: decimal comma") % {"columns": names})
        else:
            self._commas = set(places)
            self._notes.append(_("numbers have a decimal comma: 215.000 is 215 thousand"))

    def _decimal(self, column: int) -> str:
        return "," if column in self._commas else "."

    def _numbers(self, column: int) -> list[float]:
        decimal = self._decimal(column)
        numbers = [to_number(text.removesuffix("%"), decimal) for text in self._texts[column]]
        return [number for number in numbers if number is not None]

    def _is_no_loudness(self, column: int) -> bool:
        """Return whether a loudness was scaled: no song is as loud as the loudest possible sound."""
        numbers = self._numbers(column)
        return any(numbers) and all(0 <= number <= 1 for number in numbers)

    def _is_signed(self, column: int) -> bool:
        """Return whether a sign, and not the heading, says that values are per cent."""
        has_sign = any(text.endswith("%") for text in self._texts[column])
        return has_sign and not is_percent_heading(self._headings[column])

    def _are_shares(self, column: int) -> bool:
        numbers = self._numbers(column)
        return any(number % 1 for number in numbers) and all(0 <= number <= 1 for number in numbers)

    def _scales(self, columns: Mapping[str, int]) -> dict[str, int]:
        """Return what stands for 1 in features that are not written as shares."""
        out_of_ten = self._out_of_ten(columns)
        if out_of_ten:
            names = ", ".join(self._headings[columns[name]] for name in out_of_ten)
            self._notes.append(_("%(columns)s: out of ten") % {"columns": names})
            return dict.fromkeys(out_of_ten, 10)
        return dict.fromkeys(self._percent(columns), 100)

    def _out_of_ten(self, columns: Mapping[str, int]) -> list[str]:
        """Return the features out of ten: fractions, most above 1, and in no such column more than ten."""
        features: list[str] = []
        for name in SHARES:
            numbers = self._numbers(columns[name]) if name in columns else []
            above = sum(number > 1 for number in numbers)
            if not above:
                continue
            is_percent = is_percent_heading(self._headings[columns[name]]) or self._is_signed(columns[name])
            if is_percent or max(numbers) > _TEN or above * 2 < len(numbers):
                return []
            if any(number % 1 for number in numbers):
                features.append(name)
        # Values that are hardly ever above ten per cent decide nothing.
        return features if _OFTEN_HIGH & set(features) else []

    def _percent(self, columns: Mapping[str, int]) -> frozenset[str]:
        """Return the features that are written as per cent: by heading, by sign, or as all their values say."""
        certain: set[str] = set()
        whole: set[str] = set()
        shares = [name for name in SHARES if name in columns]
        for name in shares:
            column = columns[name]
            numbers = self._numbers(column)
            is_whole = bool(numbers) and all(0 <= number <= 100 and number == int(number) for number in numbers)
            is_said = is_percent_heading(self._headings[column]) or any(
                text.endswith("%") for text in self._texts[column]
            )
            above = sum(number > 1 for number in numbers)
            if is_said or (numbers and max(numbers) <= 100 and above * 2 >= len(numbers)):
                certain.add(name)
            elif is_whole:
                whole.add(name)
        # Where most columns are, one that is hardly ever above 1 is as well.
        percents = certain | whole if len(certain) * 2 >= len(shares) else certain
        if percents:
            names = ", ".join(self._headings[columns[name]] for name in shares if name in percents)
            self._notes.append(_("%(columns)s: per cent") % {"columns": names})
        return frozenset(percents)

    def _nothing(self, columns: Mapping[str, int]) -> frozenset[str]:
        """Return words such as "None" that are no name in this file, as several of its columns hold them.

        Songs are called all of these.
        """
        held: defaultdict[str, set[int]] = defaultdict(set)
        for name, column in columns.items():
            for text in set(self._texts[column]):
                if text.lower() in _DOUBTFUL_WORDS and name != "title":
                    held[text].add(column)
        return frozenset(text for text, places in held.items() if len(places) > 1)

    def _unit(self, columns: Mapping[str, int]) -> float | None:
        """Return the milliseconds of the unit of lengths, ``None`` for that of the heading."""
        for name in DURATION_FIELDS:
            if name not in columns:
                continue
            column = columns[name]
            unit = implausible_unit(self._numbers(column), DURATION_UNITS.get(name, 1))
            if unit == DAY_MS:
                self._note(_("%(used)s: parts of a day, as spreadsheets write times"), used=column)
            elif unit is not None:
                text = _("%(used)s: %(unit)s, as the values tell, not what the heading says")
                self._note(text, used=column, unit=_("milliseconds") if unit == 1 else _("seconds"))
            elif name != "duration" and (long := self._too_long(column, DURATION_UNITS[name])):
                self._note(_("%(used)s: %(example)s and the like are milliseconds"), used=column, example=long)
            return self._duration_unit(column) if unit is None and name == "duration" else unit
        return None

    def _too_long(self, column: int, unit_ms: int) -> str:
        """Return the first text that can only be milliseconds in a column of longer units, "" where there is none."""
        decimal = self._decimal(column)
        texts = (text for text in self._texts[column] if (to_number(text, decimal) or 0) >= SURELY_MS)
        return next(texts, "") if unit_ms > 1 else ""

    def _duration_unit(self, column: int) -> float:
        """Return the milliseconds of the unit that plain numbers under an open heading are in."""
        numbers = sorted(number for number in self._numbers(column) if number > 0)
        middle = numbers[(len(numbers) - 1) // 2] if numbers else 0
        if middle >= _SURELY_US:
            self._note(_("%(used)s: %(unit)s"), used=column, unit=_("microseconds"))
            return 0.001
        if not numbers or middle >= SURELY_MS:
            return 1
        small = [number for number in numbers if number < SURELY_MS]
        is_minutes = max(small) < _LONGEST_IN_MINUTES or middle < _LONGEST_IN_MINUTES / 2
        unit = _("minutes") if is_minutes else _("seconds")
        self._note(_("%(used)s: %(unit)s"), used=column, unit=unit)
        return 60_000 if is_minutes else 1000

    def _has_year_first(self, column: int) -> bool:
        """Return whether the first of a date's three numbers of two digits is its year: it can only be in some."""
        dates = [date for date in map(SHORT_DATE.fullmatch, self._texts[column]) if date]
        firsts, lasts = ([int(date[group]) for date in dates] for group in (1, 3))
        is_first = any(number > DAYS for number in firsts) and all(number <= DAYS for number in lasts)
        for date in dates[:1]:
            year = parse_year(date[0], has_year_first=is_first)
            self._note(_("%(used)s: %(example)s is of %(year)s"), used=column, example=shown(date[0]), year=year)
        return is_first

    def _has_minutes_first(self, column: int) -> bool:
        """Return whether 03:45:00 is minutes and seconds in a column: no song in it has seconds, all have hours."""
        clocks = [text for text in self._texts[column] if text.count(":") > 1]
        if not clocks or not all(map(_MINUTES_FIRST.fullmatch, clocks)):
            return False
        self._note(_("%(used)s: %(example)s is read as minutes and seconds"), used=column, example=clocks[0])
        return True

    def _note_short_durations(self, column: int) -> None:
        decimal = self._decimal(column)
        texts = [text for text in self._texts[column] if 0 < (to_number(text, decimal) or 0) < _SHORTEST_MS]
        if texts:
            text = _("%(used)s: %(example)s and the like are taken as milliseconds, as the heading says")
            self._note(text, used=column, example=shown(texts[0]))
        if any(to_clock_ms(text) for text in self._texts[column]):
            self._note(_("%(used)s: 3:45 is read as minutes and seconds"), used=column)

    # --- artists -----------------------------------------------------------------------------------------------------
    def _with_artists(self, layout: Layout) -> Layout:
        if "artists" not in layout.columns:
            return layout
        column = layout.columns["artists"]
        texts = [unescaped(text) for text in self._texts[column] if not is_no_value(text)]
        has_lists = bool(texts) and sum(map(is_bracketed, texts)) >= _LISTS_ENOUGH * len(texts)
        pipes, semicolons = (sum(sign in text for text in texts) for sign in "|;")
        pipes_part = pipes >= max(1, _PIPES_ENOUGH * len(texts)) and (
            semicolons < _SEMICOLONS_ENOUGH or pipes * _SEMICOLONS_PER_PIPE >= semicolons
        )
        has_row_per_artist = layout.has_ids and self._has_row_per_artist(layout)
        if has_lists:
            self._note(_("%(used)s: lists"), used=column)
        elif semicolons or pipes_part:
            signs = " ".join(sign for sign, count in ((";", semicolons), ("|", pipes * pipes_part)) if count)
            self._note(_("%(used)s: several, parted by %(signs)s"), used=column, signs=signs)
        layout = replace(
            layout, has_artist_lists=has_lists, pipes_part_artists=pipes_part, artist_ids=self._artist_ids(column)
        )
        return with_row_per_artist(layout) if has_row_per_artist else layout

    def _artist_ids(self, artists: int) -> int | None:
        """Return the column that names an id for each artist of a row, where commas part these."""
        for column, heading in enumerate(self._headings):
            if heading_name(heading) not in ARTIST_IDS:
                continue
            counts = [
                (number_of_ids(ids), len(parts_of(names)))
                for ids, names in zip(self._texts[column], self._texts[artists], strict=False)
                if not is_no_value(ids) and ";" not in names and parse_list(names) is None
            ]
            fit = sum(number <= parts for number, parts in counts)
            # Some tables name but the first artist's.
            has_several = any(number > 1 for number, _parts in counts)
            if has_several and fit >= _COUNTS_FIT * len(counts):
                return column
        return None

    def _has_row_per_artist(self, layout: Layout) -> bool:
        """Return whether the rows of one id differ in their artist, which names one alone."""
        columns = [self._texts[layout.columns[name]] for name in ("spotify_id", "title", "artists")]
        artists: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        rows: Counter[tuple[str, str]] = Counter()
        for song_id, title, artist in zip(*columns, strict=False):
            if artist and is_id(song_id):
                artists[song_id, title].add(artist)
                rows[song_id, title] += 1
        repeated = [song for song, count in rows.items() if count > 1]
        several = [names for song in repeated if len(names := artists[song]) > 1]
        if not several or len(several) * 2 < len(repeated):
            return False
        return all(";" not in name and parse_list(name) is None for names in several for name in names)

    def _note(self, text: str, *, used: int, **values: object) -> None:
        shown_values = {
            name: self._headings[value] if name == "other" and isinstance(value, int) else value
            for name, value in values.items()
        }
        self._notes.append(text % {"used": self._headings[used], **shown_values})
