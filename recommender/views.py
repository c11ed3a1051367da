"""Pages of the recommender: "For you" and "Similar songs"."""

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.forms import AdventureForm
from accounts.models import User
from catalog.models import Track
from feedback.http import is_htmx
from feedback.selectors import mark_of
from feedback.services import rate
from recommender.forms import AnswerForm
from recommender.home import SIZES, Home, HomeItem, HomeSection, recommend_home
from recommender.section_titles import section_title
from recommender.selectors import popular_tracks
from recommender.services import similar_tracks

WELCOME_SIZE = 10
FALLBACK_SIZE = 20


@require_safe
@never_cache
@vary_on_headers("HX-Request", "HX-Boosted", "HX-History-Restore-Request")
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
    if is_htmx(request):
        return _feed_page(request, user)
    return redirect("recommender:home")


@require_POST
@login_required
def answer(request: HttpRequest, section: str, pk: int) -> HttpResponse:
    """Like, dislike or clear a song of a section; the section answers at once, with the way back."""
    user = cast(User, request.user)
    track = get_object_or_404(Track.objects.active(), pk=pk)
    form = AnswerForm({"section": section, **request.POST.dict()})
    if not form.is_valid():
        return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain")
    value = form.cleaned_data["value"] or None
    before = mark_of(user, track)
    rate(user=user, track=track, value=value)
    if not is_htmx(request):
        return redirect("recommender:home")
    home = recommend_home(user=user, sizes={form.name: SIZES[form.name]}, elsewhere=form.elsewhere())
    found = home.sections if home else []
    shown = found[0] if found else HomeSection(form.name, [])
    context = {
        "section": shown,
        "title": section_title(shown, user),
        "answered": None if form.cleaned_data["undo"] else {"track": track, "value": value or 0, "before": before},
    }
    return render(request, "recommender/_section.html", context)


def _feed_page(request: HttpRequest, user: User) -> HttpResponse:
    home = recommend_home(user=user)
    context = _untrained(user) if home is None else _home_context(home, is_staff=user.is_staff)
    context["titled"] = [(section, section_title(section, user)) for section in context["sections"]]
    context["adventure_form"] = AdventureForm(instance=user)
    template = "recommender/_feed.html" if is_htmx(request) else "recommender/home.html"
    return render(request, template, context)


@require_safe
@vary_on_headers("HX-Request", "HX-Boosted", "HX-History-Restore-Request")
def similar(request: HttpRequest, pk: int) -> HttpResponse:
    """Show songs similar to one song: a page, or the panel of the song page."""
    track = get_object_or_404(Track.objects.active(), pk=pk)
    tracks = similar_tracks(track=track, user=request.user if isinstance(request.user, User) else None)
    empty_text = _("This song is newer than the last retrain: similar songs follow with the next one.")
    if tracks is not None:
        empty_text = _("No other song is like this one yet.")
    template = "recommender/_similar.html" if is_htmx(request) else "recommender/similar.html"
    return render(request, template, {"track": track, "tracks": tracks, "empty_text": empty_text})


def _home_context(home: Home, *, is_staff: bool) -> dict[str, Any]:
    if home.amount > 0:
        likes = round(home.amount)
        intro = ngettext("Learned from %(n)s like.", "Learned from %(n)s likes.", likes) % {"n": likes}
        if likes == 0:
            intro = _("Learned from what you played.")
    else:
        intro = _("Like or dislike a few songs: the next page will have learned from it.")
    context = {"sections": home.sections, "intro": intro, **_empty_catalogue(is_staff=is_staff)}
    if not home.sections and Track.objects.active().exists():
        context |= {
            "empty_title": _("You have heard them all"),
            "empty_text": _("There is no song left that you have not rated or heard lately."),
            "empty_action_url": reverse("catalog:browse"),
            "empty_action_text": _("All songs"),
        }
    return context


def _untrained(user: User) -> dict[str, Any]:
    """Return what the page shows before the first retrain: popular songs, said to be no more than that."""
    items = [HomeItem(track, "") for track in popular_tracks(limit=FALLBACK_SIZE)]
    if user.is_staff:
        intro = _("Nothing has been learned yet: run manage.py retrain. Until then these are the popular songs.")
    else:
        intro = _("The recommender has not been trained yet: these are the popular songs. Your likes are kept for it.")
    sections = [HomeSection("popular", items)] if items else []
    return {"sections": sections, "intro": intro, **_empty_catalogue(is_staff=user.is_staff)}


def _empty_catalogue(*, is_staff: bool) -> dict[str, str]:
    text = _("Nobody has added songs to this site yet. Please come back soon.")
    if is_staff:
        text = _("Import some with manage.py import_tracks FILE, or by upload, then run manage.py retrain.")
    context = {"empty_title": _("No songs yet"), "empty_text": text}
    if is_staff:
        context |= {"empty_action_url": reverse("admin:index"), "empty_action_text": _("Administration")}
    return context
