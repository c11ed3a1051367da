"""The page "From one song to another"."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.limits.limiter import limited
from accounts.models import User
from catalog.models import Track
from catalog.search.filters import SongFilter
from catalog.search.selectors import search
from catalog.selectors import browse, tracks_in_order
from feedback.ratings.models import Rating
from feedback.ratings.selectors import ratings_of
from recommender.pages.forms import JourneyForm
from recommender.pages.track_path import track_path

MAX_FOUND = 12


@require_safe
@limited("search")
def journey(request: HttpRequest) -> HttpResponse:
    """Ask for the two ends, one after the other, then show the songs that lead from one to the other."""
    start, goal, count, query = JourneyForm(request.GET).choices_made()
    context: dict[str, Any] = {"start": start, "goal": goal, "count": count, "words": query}
    context["counts"] = JourneyForm.COUNTS
    if start and goal:
        user = request.user if isinstance(request.user, User) else None
        context["tracks"] = track_path(start=start, goal=goal, between=count, user=user)
    elif query:
        context["found"] = tracks_in_order(search(query).track_ids[:MAX_FOUND])
    else:
        context |= _offers(request, start or goal)
    return render(request, "recommender/journey.html", context)


def _offers(request: HttpRequest, chosen: Track | None) -> dict[str, Any]:
    """Return songs to choose from before anything is searched: those the listener likes, else well-known ones."""
    user = request.user if isinstance(request.user, User) else None
    liked = list(ratings_of(user, Rating.Value.LIKE).values_list("track", flat=True)[: MAX_FOUND + 1]) if user else []
    offered = liked or list(browse(wanted=SongFilter(), sort="popularity").object_list[: MAX_FOUND + 1])
    ids = [pk for pk in offered if chosen is None or pk != chosen.pk][:MAX_FOUND]
    return {"offered": tracks_in_order(ids), "is_liked": bool(liked)}
