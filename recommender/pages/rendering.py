"""The rows of the "For you" page, drawn without a template, as its buttons are: after every click it is drawn anew."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from accounts.fast.html import cached_per_language, fast_format_html
from catalog.drawing.covers import cover
from catalog.drawing.spotify_mark import spotify_link
from catalog.models import Track
from catalog.templatetags.catalog_tags import credits as artist_links
from feedback.ratings.buttons import feedback_form
from recommender.pages.for_you import ForYouItem

_ROW = (
    '<li><article class="track-row" id="track-{pk}">{cover}<div class="track-text"><div class="track-head">'
    '<a class="track-title" href="{url}">{title}</a>{explicit}</div>'
    '<div class="track-credits">{spotify}{credits}</div></div>'
    '<div class="track-actions">{buttons}</div>{reason}</article></li>'
)
# The section answers as a whole; it is told which songs stand in the others.
_ANSWER = (
    'hx-post="{url}" hx-target="closest .feed-section" hx-select="unset" hx-swap="outerHTML"'
    ' hx-include="#feed [name^=shown-]" hx-disinherit="hx-include"'
)
_IN_SHEET = 'hx-get="{url}" hx-target="#sheet-body" hx-select="unset" hx-swap="innerHTML"'
_EXPLICIT = ' <span class="badge text-bg-secondary" title="{title}">E</span>'
_REASON = '<a class="track-reason" href="{url}" {in_sheet} title="{title}">{new}{reason}</a>'
_NEW = '<span class="new-mark">{text}</span>'


class _Texts(NamedTuple):
    """What a row says."""

    explicit: str
    new: str
    why: str


@cached_per_language
def _texts() -> _Texts:
    return _Texts(
        explicit=gettext("Explicit"),
        new=gettext("New to you"),
        why=gettext("Why this song?"),
    )


def feed_row(request: HttpRequest, section: str, item: ForYouItem) -> SafeString:
    """Return one song of a section of the page as an item of its list."""
    track, texts = item.track, _texts()
    answer_url = address("recommender:rate_in_section", section).format(track.pk)
    return fast_format_html(
        _ROW,
        pk=track.pk,
        cover=cover(track),
        url=track.get_absolute_url(),
        title=track.title,
        explicit=fast_format_html(_EXPLICIT, title=texts.explicit) if track.explicit else "",
        credits=artist_links(track),
        spotify=spotify_link(track),
        buttons=feedback_form(
            request, track, item.mark, fast_format_html(_ANSWER, url=answer_url), menu_url=_menu_url(item)
        ),
        reason=_reason(item, texts),
    )


@lru_cache(maxsize=64)
def address(name: str, part: object) -> str:
    """Return the address ``name`` with ``{}`` where the song's id goes: looked up once and not for every row."""
    return reverse(name, args=[part, 0]).replace("/0/", "/{}/")


def _menu_url(item: ForYouItem) -> str:
    return "" if item.page is None else address("recommender:menu", item.page).format(item.track.pk)


def _reason(item: ForYouItem, texts: _Texts) -> SafeString:
    if item.page is None or not (item.reason or item.is_new):
        return SafeString("")
    new = fast_format_html(_NEW, text=texts.new) if item.is_new else ""
    url = address("recommender:why", item.page).format(item.track.pk)
    in_sheet = fast_format_html(_IN_SHEET, url=url)
    return fast_format_html(_REASON, url=url, in_sheet=in_sheet, title=texts.why, new=new, reason=item.reason)


def song_of(track: Track) -> ForYouItem:
    """Return a song that no model recommended as a row of the page."""
    return ForYouItem(track, "")
