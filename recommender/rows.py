"""The rows of the "For you" page, drawn without a template, as its buttons are: after every click it is drawn anew."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from catalog.covers import cover
from catalog.icons import icon
from catalog.markup import filled, once_per_language
from catalog.models import Track
from catalog.templatetags.catalog_tags import credits as artist_links
from feedback.buttons import feedback_form
from recommender.home import HomeItem

_ROW = (
    '<li><article class="track-row" id="track-{pk}">{cover}<div>'
    '<a class="track-title" href="{url}">{title}</a>{explicit}<div class="track-credits">{credits}</div></div>'
    '<div class="track-actions">{buttons}{menu}</div>{reason}</article></li>'
)
# The section answers as a whole; it is told which songs stand in the others.
_ANSWER = (
    'hx-post="{url}" hx-target="closest .feed-section" hx-select="unset" hx-swap="outerHTML"'
    ' hx-include="#feed [name^=shown-]" hx-disinherit="hx-include"'
)
_IN_SHEET = 'hx-get="{url}" hx-target="#sheet-body" hx-select="unset" hx-swap="innerHTML"'
_MENU = '<a class="btn btn-icon" href="{url}" {in_sheet} aria-label="{label}" title="{title}">{icon}</a>'
_EXPLICIT = ' <span class="badge text-bg-secondary" title="{title}">E</span>'
_REASON = '<a class="track-reason" href="{url}" {in_sheet} title="{title}">{icon} {reason}</a>'


class _Texts(NamedTuple):
    """What a row says; ``more_about``: with a place for the song's title."""

    explicit: str
    more_about: str
    menu: str
    why: str


@once_per_language
def _texts() -> _Texts:
    return _Texts(
        explicit=gettext("Explicit"),
        more_about=gettext("More about %(song)s: not now, block, wrong reason"),
        menu=gettext("Not now, block, wrong reason"),
        why=gettext("Why this song?"),
    )


def feed_row(request: HttpRequest, section: str, item: HomeItem) -> SafeString:
    """Return one song of a section of the page as an item of its list."""
    track, texts = item.track, _texts()
    answer_url = address("recommender:answer", section).format(track.pk)
    return filled(
        _ROW,
        pk=track.pk,
        cover=cover(track),
        url=track.get_absolute_url(),
        title=track.title,
        explicit=filled(_EXPLICIT, title=texts.explicit) if track.explicit else "",
        credits=artist_links(track),
        buttons=feedback_form(request, track, 0, filled(_ANSWER, url=answer_url)),
        menu=_menu(item, texts),
        reason=_reason(item, texts),
    )


@lru_cache(maxsize=64)
def address(name: str, part: object) -> str:
    """Return the address ``name`` with ``{}`` where the song's id goes: looked up once and not for every row."""
    return reverse(name, args=[part, 0]).replace("/0/", "/{}/")


def _menu(item: HomeItem, texts: _Texts) -> SafeString:
    if item.page is None:
        return SafeString("")
    url = address("recommender:menu", item.page).format(item.track.pk)
    return filled(
        _MENU,
        url=url,
        in_sheet=filled(_IN_SHEET, url=url),
        label=texts.more_about % {"song": item.track.title},
        title=texts.menu,
        icon=icon("three-dots-vertical"),
    )


def _reason(item: HomeItem, texts: _Texts) -> SafeString:
    if item.page is None or not item.reason:
        return SafeString("")
    url = address("recommender:why", item.page).format(item.track.pk)
    in_sheet = filled(_IN_SHEET, url=url)
    return filled(_REASON, url=url, in_sheet=in_sheet, title=texts.why, icon=icon("stars"), reason=item.reason)


def song_of(track: Track) -> HomeItem:
    """Return a song that no model recommended as a row of the page."""
    return HomeItem(track, "")
