"""Decides from a sample of rows how the columns of a file are read.

Every decision is about a column as a whole: a number means seconds or milliseconds, per cent or a share, with a comma
before its decimals or between its thousands, because of what stands above and below it.
"""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from catalog.importing.reading.layout import FIELDS, PLURAL, Layout, LayoutError, heading_name, numbered_after
from catalog.importing.reading.profile.artists import with_row_per_artist
from catalog.importing.reading.profile.columns import choose_columns
from catalog.importing.reading.profile.formats import decide_formats
from catalog.importing.reading.profile.sample import Rows, Sample

__all__ = ["make_layout", "with_row_per_artist"]


def make_layout(headings: Sequence[str], rows: Rows, mapping: Mapping[str, str] | None = None) -> Layout:
    """Return how to read the columns under ``headings``, judged by the sample ``rows``.

    ``mapping`` names the heading of a field where the operator knows better; an empty one leaves the field out.

    Raises:
        LayoutError: no column for titles, or neither ids nor artists to tell songs apart by; or ``mapping`` names what
            is not there.
    """
    sample = Sample(headings, rows)
    chosen = choose_columns(sample, _mapped(headings, mapping or {}))
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
    return decide_formats(sample, layout)


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
