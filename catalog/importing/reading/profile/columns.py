"""Chooses the column of each field."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from catalog.identity.text import base_title, fold_name
from catalog.importing.reading.layout import DURATION_FIELDS, FIELDS, candidates, heading_name
from catalog.importing.reading.profile.sample import Sample
from catalog.importing.reading.values import is_id

# Of two columns for one field the more specific wins, unless it is filled less than half as well.
_FILLED_ENOUGH = 0.5
_IDS_ENOUGH = 0.1
# Beyond this share of ids with several titles, a column holds no ids of songs.
_SEVERAL_TITLES = 0.25
_DATE = re.compile(r"[0-9]{4}(?:[-/.].*)?|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4}|.*\b(?:19|20)[0-9]{2}")
_DATES_ENOUGH = 0.8
_BARE_ID = re.compile(r"[0-9A-Za-z]{22}")
_SURE_TITLES = frozenset({"track_name", "song_name", "song_title", "track_title"})
_LISTS_PER_TITLE = 20


def choose_columns(sample: Sample, mapped: Mapping[str, int | None]) -> dict[str, int]:
    """Return the place of each field."""
    taken = set(mapped.values())
    columns: dict[str, int] = {}
    for name, places in candidates(sample.headings).items():
        if name in mapped:
            continue
        column = _best(sample, name, [column for column in places if column not in taken])
        if column is not None:
            columns[name] = column
    columns.update({name: column for name, column in mapped.items() if column is not None})
    durations = [name for name in DURATION_FIELDS if name in columns]
    filled = [name for name in durations if sample.filled(columns[name])] or durations
    for name in durations:
        if name != filled[0]:
            del columns[name]
    return {name: columns[name] for name in FIELDS if name in columns}


def _best(sample: Sample, name: str, places: Sequence[int]) -> int | None:
    if name == "spotify_id":
        return _best_ids(sample, places)
    if name in ("album", "release_year"):
        # A "release" is either.
        places = [column for column in places if _may_be(sample, name, column)]
    best = _best_title(sample, places) if name == "title" else _best_of(sample, places)
    for other in places:
        if other != best and best is not None and sample.filled(other):
            sample.note(_("%(used)s is the %(field)s, not %(other)s"), used=best, field=name, other=other)
    return best


def _may_be(sample: Sample, name: str, column: int) -> bool:
    if heading_name(sample.headings[column]) != "release":
        return True
    return (sample.share(column, lambda text: _DATE.fullmatch(text) is not None) >= _DATES_ENOUGH) == (
        name == "release_year"
    )


def _best_title(sample: Sample, places: Sequence[int]) -> int | None:
    """Return the best column; one that hardly varies under an open heading is the name of a list."""
    best = _best_of(sample, places)
    if best is None or heading_name(sample.headings[best]) in _SURE_TITLES:
        return best
    counts = {column: len(set(sample.texts[column])) for column in places}
    others = [
        column
        for column in places
        if (counts[best] == 1 < counts[column]) or counts[best] * _LISTS_PER_TITLE <= counts[column]
    ]
    return _best_of(sample, others) if others else best


def _best_of(sample: Sample, places: Sequence[int]) -> int | None:
    """Return the first of the columns that is filled well enough; ``None`` of none."""
    if not places:
        return None
    filled = {column: sample.filled(column) for column in places}
    enough = _FILLED_ENOUGH * max(filled.values())
    return next(column for column in places if filled[column] >= enough)


def _best_ids(sample: Sample, places: Sequence[int]) -> int | None:
    """Return the column that holds Spotify's ids most often; ``None`` where no column does."""
    if places and not any(sample.texts):
        return places[0]
    shares = {column: sample.share(column, is_id) for column in places}
    best = max(places, key=lambda column: shares[column], default=None)
    if best is not None and _is_of_others(sample, best):
        sample.note(_("%(used)s is the same for different songs: songs are known by title and artists"), used=best)
        return None
    if best is None or shares[best] < _IDS_ENOUGH:
        for column in places:
            if heading_name(sample.headings[column]) in {"id", "track_id", "song_id", "spotify_id", "spotify_track_id"}:
                sample.note(_("%(used)s holds no Spotify ids: songs are known by title and artists"), used=column)
        return None
    return best


def _is_of_others(sample: Sample, column: int) -> bool:
    """Return whether a column of bare ids is of artists or albums: many come with several titles."""
    if heading_name(sample.headings[column]) not in {"id", "spotify_id"}:
        return False
    title = _best_title(sample, candidates(sample.headings).get("title", []))
    if title is None:
        return False
    titles: defaultdict[str, set[str]] = defaultdict(set)
    for song_id, text in zip(sample.texts[column], sample.texts[title], strict=False):
        if _BARE_ID.fullmatch(song_id):
            titles[song_id].add(fold_name(base_title(text)))
    return sum(len(names) > 1 for names in titles.values()) > _SEVERAL_TITLES * len(titles)
