"""Template tags by which song lists show and take the listener's feedback."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import uuid4

from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from catalog.models import Track
from feedback.http import is_htmx, return_address
from feedback.selectors import marks_of

register = template.Library()
_KEY = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True)
class ActionDetails:
    """What one set of buttons says and sends along.

    ``key`` makes its ids unique on the page and stays the same when it is replaced in place, so that the focus stays
    on the button that was pressed; ``token`` makes a "Listen" that is sent twice count once.
    """

    key: str
    token: str
    next: str
    rate_url: str
    listen_url: str
    like: str
    dislike: str
    listen: str


@register.simple_tag(takes_context=True)
def listener_marks(context: template.Context, tracks: Iterable[Track]) -> dict[int, int]:
    """Return the listener's ratings of ``tracks`` by track id, in one query; none for anonymous visitors."""
    request: HttpRequest = context["request"]
    return marks_of(request.user, tracks) if request.user.is_authenticated else {}


@register.filter
def mark_of(marks: dict[int, int], track: Track) -> int:
    """Return the rating of one song in ``marks``: 1, -1 or, unrated, 0."""
    return marks.get(track.pk, 0)


@register.simple_tag(takes_context=True)
def action_details(context: template.Context, track: Track) -> ActionDetails:
    """Return what the like, dislike and listen buttons of a song need; lists have many, so it is made here at once."""
    request: HttpRequest = context["request"]
    token = uuid4()
    sent_key = request.POST.get("key", "") if is_htmx(request) else ""
    song = {"song": track.title}
    return ActionDetails(
        key=sent_key if _KEY.fullmatch(sent_key) else token.hex[:8],
        token=str(token),
        next=return_address(request),
        rate_url=reverse("feedback:rate", args=[track.pk]),
        listen_url=reverse("feedback:listen", args=[track.pk]),
        like=gettext("Like %(song)s") % song,
        dislike=gettext("Dislike %(song)s") % song,
        listen=gettext("Listen to %(song)s") % song,
    )


@register.simple_tag(takes_context=True)
def page_address(context: template.Context) -> str:
    """Return the page of this site to come back to."""
    return return_address(context["request"])
