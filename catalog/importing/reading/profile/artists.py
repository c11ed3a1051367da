"""Decides how the artists of a song are written."""

from collections import Counter, defaultdict
from dataclasses import replace

from django.utils.translation import gettext as _

from catalog.identity.commas import number_of_ids, parts_of
from catalog.importing.reading.layout import ARTIST_IDS, Layout, heading_name
from catalog.importing.reading.lists import is_bracketed, parse_list, unescaped
from catalog.importing.reading.numbers import is_no_value
from catalog.importing.reading.profile.sample import Sample
from catalog.importing.reading.values import is_id

_LISTS_ENOUGH = 0.8
_SEMICOLONS_ENOUGH = 20
_COUNTS_FIT = 0.95
# A pipe belongs to a name where hardly any field holds one, or hardly any of those that are parted by semicolons.
_PIPES_ENOUGH = 0.01
_SEMICOLONS_PER_PIPE = 20


def with_row_per_artist(layout: Layout) -> Layout:
    """Return ``layout`` with rows that each name one artist of their song, and a note that says so."""
    if layout.has_row_per_artist:
        return layout
    heading = layout.headings[layout.columns["artists"]]
    note = _("%(used)s: one row for each artist of a song") % {"used": heading}
    return replace(layout, has_row_per_artist=True, notes=(*layout.notes, note))


def decide_artists(sample: Sample, layout: Layout) -> Layout:
    """Return ``layout`` with how artists are written: as lists, parted by signs, with their ids, one to a row."""
    if "artists" not in layout.columns:
        return layout
    column = layout.columns["artists"]
    texts = [unescaped(text) for text in sample.texts[column] if not is_no_value(text)]
    has_lists = bool(texts) and sum(map(is_bracketed, texts)) >= _LISTS_ENOUGH * len(texts)
    pipes, semicolons = (sum(sign in text for text in texts) for sign in "|;")
    pipes_part = pipes >= max(1, _PIPES_ENOUGH * len(texts)) and (
        semicolons < _SEMICOLONS_ENOUGH or pipes * _SEMICOLONS_PER_PIPE >= semicolons
    )
    has_row_per_artist = layout.has_ids and _has_row_per_artist(sample, layout)
    if has_lists:
        sample.note(_("%(used)s: lists"), used=column)
    elif semicolons or pipes_part:
        signs = " ".join(sign for sign, count in ((";", semicolons), ("|", pipes * pipes_part)) if count)
        sample.note(_("%(used)s: several, parted by %(signs)s"), used=column, signs=signs)
    layout = replace(
        layout, has_artist_lists=has_lists, pipes_part_artists=pipes_part, artist_ids=_artist_ids(sample, column)
    )
    return with_row_per_artist(layout) if has_row_per_artist else layout


def _artist_ids(sample: Sample, artists: int) -> int | None:
    """Return the column that names an id for each artist of a row, where commas part these."""
    for column, heading in enumerate(sample.headings):
        if heading_name(heading) not in ARTIST_IDS:
            continue
        counts = [
            (number_of_ids(ids), len(parts_of(names)))
            for ids, names in zip(sample.texts[column], sample.texts[artists], strict=False)
            if not is_no_value(ids) and ";" not in names and parse_list(names) is None
        ]
        fit = sum(number <= parts for number, parts in counts)
        # Some tables name but the first artist's.
        has_several = any(number > 1 for number, _parts in counts)
        if has_several and fit >= _COUNTS_FIT * len(counts):
            return column
    return None


def _has_row_per_artist(sample: Sample, layout: Layout) -> bool:
    """Return whether the rows of one id differ in their artist, which names one alone."""
    columns = [sample.texts[layout.columns[name]] for name in ("spotify_id", "title", "artists")]
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
