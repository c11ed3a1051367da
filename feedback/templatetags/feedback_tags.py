"""Template tags by which song lists show and take the listener's feedback."""

from collections.abc import Iterable

from django import template
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from catalog.models import Artist, Track
from feedback.preferences.selectors import preferred_artists
from feedback.ratings.buttons import feedback_form
from feedback.ratings.selectors import ratings_by_track
from feedback.taste import has_told_nothing
from feedback.web.http import return_address

register = template.Library()


@register.simple_tag(takes_context=True)
def listener_marks(context: template.Context, tracks: Iterable[Track]) -> dict[int, int]:
    """Return the listener's ratings of ``tracks`` by track id, in one query; none for anonymous visitors."""
    request: HttpRequest = context["request"]
    return ratings_by_track(request.user, tracks) if request.user.is_authenticated else {}


@register.filter
def rating_of(marks: dict[int, int], track: Track) -> int:
    """Return the rating of one song in ``marks``: 1, -1 or, unrated, 0."""
    return marks.get(track.pk, 0)


@register.simple_tag(takes_context=True)
def feedback_buttons(context: template.Context, track: Track, mark: int) -> SafeString:
    """Return the like, dislike and listen buttons of a song that the listener has marked 1, -1 or 0."""
    return feedback_form(context["request"], track, mark)


@register.simple_tag(takes_context=True)
def start_offer(context: template.Context) -> str:
    """Return the way to the first steps for a listener who has told nothing yet, else nothing."""
    user = context["request"].user
    return render_to_string("feedback/_start_offer.html") if has_told_nothing(user) else ""


@register.simple_tag(takes_context=True)
def likes_artist(context: template.Context, artist: Artist) -> bool:
    """Return whether the listener likes ``artist``."""
    user = context["request"].user
    return user.is_authenticated and preferred_artists(user).filter(pk=artist.pk).exists()


@register.simple_tag(takes_context=True)
def page_address(context: template.Context) -> str:
    """Return the page of this site to come back to."""
    return return_address(context["request"])
