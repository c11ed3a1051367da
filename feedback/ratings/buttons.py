"""The like, dislike and listen buttons of a song, drawn without a template.

Lists have thirty of them, and the "For you" page is drawn again after every click; as template nodes the buttons took
longer than finding the songs.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple
from uuid import uuid4

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from accounts.fast.html import cached_per_language, fast_format_html
from catalog.drawing.icons import icon
from catalog.models import Track
from feedback.web.http import is_htmx, return_address

_KEY = re.compile(r"[0-9a-f]{8}")
_FORM = (
    '<form method="post" action="{rate_url}" {answer}><input type="hidden" name="csrfmiddlewaretoken" value="{csrf}">'
    '<input type="hidden" name="next" value="{next}"><input type="hidden" name="key" value="{key}">'
    '<input type="hidden" name="token" value="{token}">{listen}{like}{dislike}{keep}{more}</form>'
)
# By default only the form is replaced; a page may name another part.
_IN_PLACE = 'hx-post="{url}" hx-target="closest form" hx-select="form" hx-swap="outerHTML"'
_RATE = (
    '<button class="btn btn-icon" type="submit" id="{name}-{key}" name="value" value="{value}"'
    ' aria-pressed="{pressed}" aria-label="{label}" title="{title}">{icon}</button>'
)
_LISTEN = (
    '<button class="row-play" type="submit" id="listen-{key}" data-play="{pk}" formaction="{url}" hx-post="{url}"'
    ' hx-target="closest .track-actions" hx-select=".track-actions" aria-label="{label}" title="{title}">'
    "{icon}</button>"
)
_IN_SHEET = (
    '<a class="btn btn-icon{kind}" href="{url}" hx-get="{url}" hx-target="#sheet-body" hx-select="unset"'
    ' hx-swap="innerHTML" aria-label="{label}" title="{title}">{icon}</a>'
)


class _Texts(NamedTuple):
    """What the buttons say; ``..._song``: with a place for the song's title."""

    like: str
    like_song: str
    unlike: str
    dislike: str
    dislike_song: str
    undislike: str
    listen: str
    listen_song: str
    keep: str
    keep_song: str
    more: str
    more_song: str


@cached_per_language
def _texts() -> _Texts:
    return _Texts(
        like=gettext("Like"),
        like_song=gettext("Like %(song)s"),
        unlike=gettext("Remove like"),
        dislike=gettext("Dislike"),
        dislike_song=gettext("Dislike %(song)s"),
        undislike=gettext("Remove dislike"),
        listen=gettext("Play"),
        listen_song=gettext("Play %(song)s"),
        keep=gettext("Add to playlist"),
        keep_song=gettext("Add %(song)s to a playlist"),
        more=gettext("More options"),
        more_song=gettext("More options for %(song)s"),
    )


def feedback_form(
    request: HttpRequest, track: Track, mark: int, answer: SafeString | None = None, menu_url: str = ""
) -> SafeString:
    """Return the form with the buttons of ``track``, which the listener has marked 1, -1 or 0 (not rated).

    ``answer``: htmx attributes by which a page has more than the form drawn anew. ``menu_url``: the song's menu where
    the page has one of its own, as that of a recommended song.

    Its ``key`` makes the ids unique on the page and stays the same when the form is replaced in place, so that the
    focus stays on the button that was pressed; its ``token`` makes a "Listen" that is sent twice count once.
    """
    token = uuid4()
    sent_key = request.POST.get("key", "") if is_htmx(request) else ""
    key = sent_key if _KEY.fullmatch(sent_key) else token.hex[:8]
    csrf, address = _of_request(request)
    rate_url = _address("feedback:rate").format(track.pk)
    texts, song = _texts(), {"song": track.title}
    return fast_format_html(
        _FORM,
        rate_url=rate_url,
        answer=answer or fast_format_html(_IN_PLACE, url=rate_url),
        csrf=csrf,
        next=address,
        key=key,
        token=token,
        like=_like(key, texts, song, is_on=mark == 1),
        dislike=_dislike(key, texts, song, is_on=mark == -1),
        listen=fast_format_html(
            _LISTEN,
            key=key,
            pk=track.pk,
            url=_address("feedback:listen").format(track.pk),
            label=texts.listen_song % song,
            title=texts.listen,
            icon=icon("play-fill"),
        ),
        keep=fast_format_html(
            _IN_SHEET,
            kind=" row-keep",
            url=_address("feedback:track_playlists").format(track.pk),
            label=texts.keep_song % song,
            title=texts.keep,
            icon=icon("plus-lg"),
        ),
        more=fast_format_html(
            _IN_SHEET,
            kind="",
            url=menu_url or _address("recommender:song_menu").format(track.pk),
            label=texts.more_song % song,
            title=texts.more,
            icon=icon("three-dots-vertical"),
        ),
    )


def _of_request(request: HttpRequest) -> tuple[str, str]:
    """Return what all rows share: the CSRF token, whose masking takes time, and the address to return to."""
    same: tuple[str, str] | None = getattr(request, "feedback_form", None)
    if same is None:
        same = get_token(request), return_address(request)
        request.feedback_form = same  # type: ignore[attr-defined]
    return same


@cache
def _address(name: str) -> str:
    """Return the URL ``name`` with ``{}`` in place of the song's id; lists need it a hundred times."""
    return reverse(name, args=[0]).replace("/0/", "/{}/")


def _like(key: str, texts: _Texts, song: Mapping[str, str], *, is_on: bool) -> SafeString:
    return fast_format_html(
        _RATE,
        name="like",
        key=key,
        value=0 if is_on else 1,
        pressed="true" if is_on else "false",
        label=texts.like_song % song,
        title=texts.unlike if is_on else texts.like,
        icon=icon("hand-thumbs-up-fill" if is_on else "hand-thumbs-up"),
    )


def _dislike(key: str, texts: _Texts, song: Mapping[str, str], *, is_on: bool) -> SafeString:
    return fast_format_html(
        _RATE,
        name="dislike",
        key=key,
        value=0 if is_on else -1,
        pressed="true" if is_on else "false",
        label=texts.dislike_song % song,
        title=texts.undislike if is_on else texts.dislike,
        icon=icon("hand-thumbs-down-fill" if is_on else "hand-thumbs-down"),
    )
