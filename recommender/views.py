"""Pages of the recommender: "For you" and "Similar songs"."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts.models import User
from catalog.models import Track
from recommender.forms import AdventureForm
from recommender.selectors import popular_tracks
from recommender.services import Feed, FeedItem, recommend_feed, similar_tracks

WELCOME_SIZE = 10
FALLBACK_SIZE = 20


@require_GET
@never_cache
@vary_on_headers("HX-Request")
def home(request: HttpRequest) -> HttpResponse:
    """Show the listener's songs, or what the site is to somebody who is not logged in."""
    if not isinstance(request.user, User):
        tracks = popular_tracks(limit=WELCOME_SIZE)
        return render(request, "recommender/welcome.html", {"tracks": tracks, **_empty_catalogue(is_staff=False)})
    return _feed_page(request, request.user)


@require_POST
@login_required
def adventure(request: HttpRequest) -> HttpResponse:
    """Set the adventure dial; the songs answer at once."""
    user = request.user
    assert isinstance(user, User)
    form = AdventureForm(request.POST, instance=user)
    if not form.is_valid():
        return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain")
    form.save()
    if request.htmx:  # type: ignore[attr-defined]
        return _feed_page(request, user)
    return redirect("recommender:home")


def _feed_page(request: HttpRequest, user: User) -> HttpResponse:
    feed = recommend_feed(user=user)
    context = _untrained(user) if feed is None else _feed_context(feed, is_staff=user.is_staff)
    context["tracks"] = [item.track for item in context["items"]]
    context["adventure_form"] = AdventureForm(instance=user)
    template = "recommender/_feed.html" if request.htmx else "recommender/home.html"  # type: ignore[attr-defined]
    return render(request, template, context)


@require_GET
@vary_on_headers("HX-Request")
def similar(request: HttpRequest, pk: int) -> HttpResponse:
    """Show songs similar to one song: a page, or the panel of the song page."""
    track = get_object_or_404(Track.objects.active(), pk=pk)
    explicit_allowed = not isinstance(request.user, User) or request.user.explicit_allowed
    tracks = similar_tracks(track=track, explicit_allowed=explicit_allowed)
    empty_text = _("This song is newer than the last retrain: similar songs follow with the next one.")
    if tracks is not None:
        empty_text = _("No other song is like this one yet.")
    template = "recommender/_similar.html" if request.htmx else "recommender/similar.html"  # type: ignore[attr-defined]
    return render(request, template, {"track": track, "tracks": tracks, "empty_text": empty_text})


def _feed_context(feed: Feed, *, is_staff: bool) -> dict[str, Any]:
    if feed.amount > 0:
        likes = round(feed.amount)
        intro = ngettext("Learned from %(n)s like.", "Learned from %(n)s likes.", likes) % {"n": likes}
        if likes == 0:
            intro = _("Learned from what you played.")
    else:
        intro = _("Like or dislike a few songs: the next page will have learned from it.")
    context = {"items": feed.items, "intro": intro, **_empty_catalogue(is_staff=is_staff)}
    if not feed.items and Track.objects.active().exists():
        context |= {
            "empty_title": _("You have heard them all"),
            "empty_text": _("There is no song left that you have not rated or heard lately."),
            "empty_action_url": reverse("catalog:browse"),
            "empty_action_text": _("All songs"),
        }
    return context


def _untrained(user: User) -> dict[str, Any]:
    """Return what the page shows before the first retrain: popular songs, said to be no more than that."""
    items = [FeedItem(track, "") for track in popular_tracks(limit=FALLBACK_SIZE)]
    if user.is_staff:
        intro = _("Nothing has been learned yet: run manage.py retrain. Until then these are the popular songs.")
    else:
        intro = _("The recommender has not been trained yet: these are the popular songs. Your likes are kept for it.")
    return {"items": items, "intro": intro, **_empty_catalogue(is_staff=user.is_staff)}


def _empty_catalogue(*, is_staff: bool) -> dict[str, str]:
    text = _("Nobody has added songs to this site yet. Please come back soon.")
    if is_staff:
        text = _("Import some with manage.py import_tracks FILE, or by upload, then run manage.py retrain.")
    context = {"empty_title": _("No songs yet"), "empty_text": text}
    if is_staff:
        context |= {"empty_action_url": reverse("admin:index"), "empty_action_text": _("Administration")}
    return context
