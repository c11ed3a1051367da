"""The page "For you"."""

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.apikit.auth import is_asked_by_head
from accounts.models import User
from catalog.models import Track
from feedback.ratings.selectors import rating_of
from feedback.ratings.services import rate
from feedback.taste import counted_totals, has_chosen, has_told_nothing
from feedback.web.http import is_htmx
from recommender.pages.cached_feed import cached_feed, current_page, new_page, section_after_rating, shown_ids
from recommender.pages.for_you import SIZES, ForYouItem, ForYouPage, ForYouSection, recommend_for_you
from recommender.pages.forms import RateInSectionForm, TuneForm
from recommender.pages.popular import popular_tracks
from recommender.pages.shelf_titles import section_title

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
    home = current_page(request.user, is_seen=not is_asked_by_head(request))
    return _feed_page(request, request.user, home)


@require_POST
@login_required
def new_songs(request: HttpRequest) -> HttpResponse:
    """Put new songs in the place of all that the page shows."""
    user = cast(User, request.user)
    home = new_page(user, without=shown_ids(user))
    return _feed_page(request, user, home) if is_htmx(request) else redirect("recommender:home")


@require_POST
@login_required
def adventure(request: HttpRequest) -> HttpResponse:
    """Set the adventure dial and which songs are recommended; the songs answer at once."""
    user = request.user
    assert isinstance(user, User)
    form = TuneForm(request.POST, instance=user)
    if not form.is_valid():
        return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain")
    form.save()
    if is_htmx(request):
        return _feed_page(request, user, current_page(user))
    return redirect("recommender:home")


@require_POST
@login_required
def rate_in_section(request: HttpRequest, section: str, pk: int) -> HttpResponse:
    """Like, dislike or clear a song of a section; the section answers at once, with the way back."""
    user = cast(User, request.user)
    track = get_object_or_404(Track.objects.active(), pk=pk)
    form = RateInSectionForm({"section": section, **request.POST.dict()})
    if not form.is_valid():
        return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain")
    value = form.cleaned_data["value"] or None
    before = rating_of(user, track)
    feed = cached_feed(user)
    rate(user=user, track=track, value=value)
    shown = section_after_rating(user, feed, form.name, track, is_undo=form.cleaned_data["undo"])
    if not is_htmx(request):
        return redirect("recommender:home")
    if shown is None:
        home = recommend_for_you(user=user, sizes={form.name: SIZES[form.name]}, exclude_ids=form.exclude_ids())
        shown = home.sections[0] if home and home.sections else ForYouSection(form.name, [])
    totals = counted_totals(user)
    context = {
        "section": shown,
        "title": section_title(shown, user),
        "last_rating": None if form.cleaned_data["undo"] else {"track": track, "value": value or 0, "before": before},
        "intro": _intro(totals if any(totals) or has_chosen(user) else None),
    }
    return render(request, "recommender/_section_answer.html", context)


def _feed_page(request: HttpRequest, user: User, home: ForYouPage | None) -> HttpResponse:
    context = _untrained(user) if home is None else _home_context(home, user)
    is_known = home is None or home.amount > 0 or has_chosen(user)
    context["titled"] = [(shelf, section_title(shelf, user, is_known=is_known)) for shelf in context["sections"]]
    if home is not None:
        context["intro"] = _intro(counted_totals(user) if is_known else None)
    if is_htmx(request):
        return render(request, "recommender/_feed_answer.html", context)
    if home is not None:
        context["needs_start"] = not is_known and has_told_nothing(user)
    context["tune_form"] = TuneForm(instance=user)
    context["offers_recordings"] = user.recordings_only or Track.objects.filter(has_file=True).exists()
    template = "recommender/home.html"
    return render(request, template, context)


def _intro(totals: tuple[int, int] | None) -> str:
    """Return what the page is based on, in numbers that the listener can count.

    totals: of plays and likes; ``None`` where nothing at all is known of the listener.
    """
    if totals is None:
        return _("Like or dislike a few songs, and your recommendations will adapt right away.")
    plays, likes = totals
    words = [
        ngettext("%(shown)s play", "%(shown)s plays", plays) % {"shown": intcomma(plays)} if plays else "",
        ngettext("%(number)s like", "%(number)s likes", likes) % {"number": intcomma(likes)} if likes else "",
    ]
    parts = [text for text in words if text]
    if not parts:
        return _("Based on the genres and artists you chose.")
    return _("Learned from %(what)s.") % {"what": get_text_list(parts, _("and"))}


def _home_context(home: ForYouPage, user: User) -> dict[str, Any]:
    context = {"sections": home.sections, **_empty_catalogue(is_staff=user.is_staff)}
    if not home.sections and Track.objects.active().exists():
        context |= {
            "empty_title": _("You've heard everything"),
            "empty_text": _empty_text(user),
            "empty_action_url": reverse("catalog:browse"),
            "empty_action_text": _("All songs"),
        }
    return context


def _empty_text(user: User) -> str:
    if user.unheard_only:
        return _("You've rated or played every song here. “Tune” includes the ones you know.")
    if user.recordings_only:
        return _("You've recently rated or played every song with a recording. “Tune” includes the others.")
    return _("You've recently rated or played every song we could recommend.")


def _untrained(user: User) -> dict[str, Any]:
    """Return what the page shows before the first retrain: popular songs, with a note that says so."""
    items = [ForYouItem(track, "") for track in popular_tracks(limit=FALLBACK_SIZE, user=user)]
    if user.may_operate:
        intro = _(
            "No model has been trained yet, so these are the most popular songs. Run “manage.py retrain” to start."
        )
    else:
        intro = _(
            "Recommendations aren't ready yet, so these are the most popular songs. Your likes are saved and "
            "will count."
        )
    sections = [ForYouSection("popular", items)] if items else []
    return {"sections": sections, "intro": intro, **_empty_catalogue(is_staff=user.is_staff)}


def _empty_catalogue(*, is_staff: bool) -> dict[str, str]:
    text = _("There are no songs on this site yet. Please check back soon.")
    if is_staff:
        text = _("Import songs with “manage.py import_tracks FILE” or by upload, then run “manage.py retrain”.")
    context = {"empty_title": _("No songs yet"), "empty_text": text}
    if is_staff:
        context |= {"empty_action_url": reverse("admin:index"), "empty_action_text": _("Admin")}
    return context
