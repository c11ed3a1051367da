"""Views of blocks, adjustments, exclusions and private sessions."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from catalog.features import FEATURES
from catalog.models import Artist, Genre, Track, display_name
from feedback.preferences import services as preference_services
from feedback.preferences.forms import BlockForm, ExcludeForm, LineForm, PeriodForm, TargetForm
from feedback.preferences.models import TasteExclusion
from feedback.web.http import is_htmx, listener_of, listener_required, redirect_back
from feedback.web.undo import answer_in_place, flash_with_undo

# Elements of the page in whose name htmx asks for a message instead of another page: the sheet, and an earlier message.
IN_PLACE = ("sheet-body", "messages")


@require_POST
@listener_required
def block(request: HttpRequest) -> HttpResponse:
    """Block a song, an artist or a genre, for good or for some days."""
    form = BlockForm(request.POST)
    if not form.is_valid():
        return _refused(form)
    target, days = form.cleaned_data["target"], form.cleaned_data["days"]
    until = timezone.now() + timedelta(days=days) if days else None
    preference_services.block(user=listener_of(request), target=target, until=until)
    text = _("We won't recommend %(name)s any more.") % {"name": name_of(target)}
    if until is not None:
        day = date_format(timezone.localtime(until), "DATE_FORMAT")
        text = _("We won't recommend %(name)s until %(day)s.") % {"name": name_of(target), "day": day}
    return _done(request, text, reverse("feedback:unblock"), kind=form.cleaned_data["kind"], id=target.pk)


@require_POST
@listener_required
def unblock(request: HttpRequest) -> HttpResponse:
    """Take a block back."""
    form = TargetForm(request.POST)
    if not form.is_valid():
        return _refused(form)
    target = form.cleaned_data["target"]
    preference_services.unblock(user=listener_of(request), target=target)
    return _done(request, _("We may recommend %(name)s again.") % {"name": name_of(target)})


@require_POST
@listener_required
def adjust(request: HttpRequest) -> HttpResponse:
    """Turn a line of the taste up, down or off, or back to normal."""
    form = LineForm(request.POST)
    if not form.is_valid():
        return _refused(form)
    line, level = form.cleaned_data["line"], form.cleaned_data["level"]
    preference_services.adjust(user=listener_of(request), target=line, level=level)
    texts = {
        "up": _("%(name)s now counts double."),
        "down": _("%(name)s now counts half as much."),
        "off": _("%(name)s no longer counts."),
        "normal": _("%(name)s is back to normal."),
    }
    undo = {} if level == "normal" else {"kind": form.cleaned_data["kind"], "id": form.data["id"], "level": "normal"}
    return _done(request, texts[level] % {"name": name_of(line)}, reverse("feedback:adjust") if undo else "", **undo)


@require_POST
@listener_required
def exclude(request: HttpRequest) -> HttpResponse:
    """Exclude a song or an artist from the taste."""
    form = ExcludeForm(request.POST)
    if not form.is_valid():
        return _refused(form)
    row = preference_services.exclude(user=listener_of(request), target=form.cleaned_data["target"])
    text = _("%(name)s no longer counts towards your taste.") % {"name": name_of(form.cleaned_data["target"])}
    return _done(request, text, reverse("feedback:remove_exclusion", args=[row.pk]))


@require_POST
@listener_required
def follow(request: HttpRequest, pk: int) -> HttpResponse:
    """Like an artist, or no longer (``on`` 1 or 0)."""
    artist, is_on = get_object_or_404(Artist, pk=pk), request.POST.get("on") == "1"
    preference_services.like_artist(user=listener_of(request), artist=artist, is_liked=is_on)
    text = _("You like %(artist)s. Your recommendations will follow.") if is_on else _("You no longer like %(artist)s.")
    undo = {"on": int(not is_on)}
    return _done(request, text % {"artist": artist.name}, reverse("feedback:follow", args=[pk]), **undo)


@require_POST
@listener_required
def exclude_period(request: HttpRequest) -> HttpResponse:
    """Exclude a period from the taste."""
    form = PeriodForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect_back(request)
    period = preference_services.exclude_period(user=listener_of(request), **form.cleaned_data)
    return _done(
        request,
        _("That period no longer counts towards your taste."),
        reverse("feedback:remove_exclusion", args=[period.pk]),
    )


@require_POST
@listener_required
def remove_exclusion(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove an exclusion."""
    preference_services.remove_exclusion(exclusion=get_object_or_404(TasteExclusion, pk=pk, user=listener_of(request)))
    return _done(request, _("That counts towards your taste again."))


@require_POST
@listener_required
def private_session(request: HttpRequest) -> HttpResponse:
    """Begin or end a private session."""
    if request.POST.get("on") == "1":
        preference_services.start_private_session(user=listener_of(request))
        return _done(request, _("Private session started. Nothing counts towards your taste until you end it."))
    exclusion = preference_services.end_private_session(user=listener_of(request))
    text = _("Private session ended. What you did during it won't count towards your taste.")
    return _done(request, text, reverse("feedback:remove_exclusion", args=[exclusion.pk]) if exclusion else "")


def name_of(line: Track | Artist | Genre | str) -> str:
    """Return what a line of the taste, or what is blocked, is called."""
    if isinstance(line, str):
        return str(FEATURES[line].label)
    return display_name(line)


def _done(request: HttpRequest, text: str, undo_url: str = "", **undo: Any) -> HttpResponse:
    """Show a message with an undo button, on the open page or on the next one."""
    if is_htmx(request) and request.htmx.target in IN_PLACE:  # type: ignore[attr-defined]
        return trigger_client_event(answer_in_place(request, text, undo_url, **undo), "taste-changed")
    if undo_url:
        flash_with_undo(request, text, undo_url, **undo)
    else:
        messages.success(request, text)
    return redirect_back(request)


def _refused(form: Form) -> HttpResponse:
    return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain")
