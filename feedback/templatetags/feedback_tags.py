"""Template tags by which song lists show and take the listener's feedback."""

from collections.abc import Iterable

from django import template
from django.http import HttpRequest
from django.utils.safestring import SafeString

from catalog.models import Track
from feedback.buttons import feedback_form
from feedback.http import return_address
from feedback.selectors import marks_of

register = template.Library()


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
def feedback_buttons(context: template.Context, track: Track, mark: int) -> SafeString:
    """Return the like, dislike and listen buttons of a song that the listener has marked 1, -1 or 0."""
    return feedback_form(context["request"], track, mark)


@register.simple_tag(takes_context=True)
def page_address(context: template.Context) -> str:
    """Return the page of this site to come back to."""
    return return_address(context["request"])
