"""Template tags that show songs."""

from collections.abc import Iterable
from itertools import islice
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from accounts.fast.html import fast_format_html
from catalog.drawing import covers, spotify_mark
from catalog.models import Artist, Track, display_name

register = template.Library()

_CREDIT = '<a href="{url}">{name}</a>'


register.filter("display_name", display_name)


@register.simple_tag
def cover(track: Track) -> SafeString:
    """Return the song's picture; screen readers pass over it."""
    return covers.cover(track)


@register.simple_tag
def spotify_link(track: Track) -> SafeString:
    """Return Spotify's mark with the way to its page of the song; empty for a song that shows nothing of Spotify's."""
    return spotify_mark.spotify_link(track)


@register.simple_tag
def spotify_result_link(spotify_id: str, title: str) -> SafeString:
    """Return Spotify's mark with the way to its page of a song that its search found."""
    return spotify_mark.link_to(spotify_id, title)


@register.simple_tag
def mosaic(tracks: Iterable[Track]) -> SafeString:
    """Return one picture made of the first songs' pictures; screen readers pass over it."""
    return covers.mosaic(list(islice(tracks, 4)))


@register.simple_tag
def credits(  # noqa: A001  (the tag's name)
    track: Track, page_artist: Artist | str | None = None, page_album: str | None = None
) -> SafeString:
    """Return the song's artists as links, in credit order, from the prefetched credits (TrackQuerySet.for_list).

    On the page of ``page_artist`` that name is replaced by the album, unless it is ``page_album``, and the year.
    """
    in_order = sorted(track.credits.all(), key=lambda credit: credit.position)
    artists = [credit.artist for credit in in_order if credit.artist != page_artist]
    links = SafeString(
        ", ".join(fast_format_html(_CREDIT, url=artist.get_absolute_url(), name=artist.name) for artist in artists)
    )
    if not isinstance(page_artist, Artist):
        return links
    others = gettext("with %(artists)s") % {"artists": links} if artists else ""
    album = "" if track.album == page_album else escape(track.album)
    return SafeString(" · ".join(part for part in (others, album, str(track.release_year or "")) if part))


@register.simple_tag
def album_url(track: Track) -> str:
    """Return the page of a song's album, that of its first artist; empty where none is known."""
    first = min(track.credits.all(), key=lambda credit: credit.position, default=None)
    return album_address(first.artist_id, track.album) if first is not None and track.album else ""


def album_address(artist_id: int, album: str) -> str:
    """Return the page of an artist's album."""
    return f"{reverse('catalog:album', args=[artist_id])}?{urlencode({'name': album})}"


@register.filter
def album_of(artist: Artist, album: str) -> str:
    """Return the page of an artist's album."""
    return album_address(artist.pk, album)


@register.filter
def duration(milliseconds: int | None) -> str:
    """Return a length as minutes and seconds ("3:07"), with hours where there are any."""
    if milliseconds is None:
        return ""
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
