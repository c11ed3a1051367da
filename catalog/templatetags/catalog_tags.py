"""Template tags that show songs."""

from collections.abc import Iterable
from itertools import islice

from django import template
from django.utils.safestring import SafeString

from catalog import covers
from catalog.markup import filled
from catalog.models import Track

register = template.Library()

_CREDIT = '<a href="{url}">{name}</a>'


@register.simple_tag
def cover(track: Track) -> SafeString:
    """Return the song's picture; screen readers pass over it."""
    return covers.cover(track)


@register.simple_tag
def mosaic(tracks: Iterable[Track]) -> SafeString:
    """Return one picture made of the first songs' pictures; screen readers pass over it."""
    return covers.mosaic(list(islice(tracks, 4)))


@register.simple_tag
def credits(track: Track) -> SafeString:  # noqa: A001  (the tag's name)
    """Return the song's artists as links, in credit order, from the prefetched credits (TrackQuerySet.for_list)."""
    shown = sorted(track.credits.all(), key=lambda credit: credit.position)
    artists = (credit.artist for credit in shown)
    return SafeString(", ".join(filled(_CREDIT, url=one.get_absolute_url(), name=one.name) for one in artists))


@register.filter
def duration(milliseconds: int | None) -> str:
    """Return a length as minutes and seconds ("3:07"), with hours where there are any."""
    if milliseconds is None:
        return ""
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
