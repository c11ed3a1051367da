"""What the listener presses to steer: block, not now, turn up and down, what does not count, private session."""

from datetime import timedelta
from typing import Any, cast

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from accounts.models import User
from catalog.features import FEATURES
from catalog.models import Artist, Genre, Track
from feedback import steering_services as steering
from feedback.http import is_htmx, listener_required, redirect_back
from feedback.steering_forms import BlockForm, ExcludeForm, LineForm, PeriodForm, TargetForm
from feedback.steering_models import TasteExclusion
from feedback.undo import say_with_undo, undo_form

SHEET = "sheet-body"


@require_POST
@listener_required
def block(request: HttpRequest) -> HttpResponse:
    """Block a song, an artist or a genre, for good or for some days."""
    form = BlockForm(request.POST)
    if not form.is_valid():
        return _refused(form)
    target, days = form.cleaned_data["target"], form.cleaned_data["days"]
    until = timezone.now() + timedelta(days=days) if days else None
    steering.block(user=_listener(request), target=target, until=until)
    text = _("%(name)s is blocked.") % {"name": name_of(target)}
    if until is not None:
        day = date_format(timezone.localtime(until), "DATE_FORMAT")
        text = _("%(name)s is blocked until %(day)s.") % {"name": name_of(target), "day": day}
    return _done(request, text, reverse("feedback:unblock"), kind=form.cleaned_data["kind"], id=target.pk)


@require_POST
@listener_required
def unblock(request: HttpRequest) -> HttpResponse:
    """Take a block back."""
    form = TargetForm(request.POST)
    if not form.is_valid():
        return _refused(form)
    target = form.cleaned_data["target"]
    steering.unblock(user=_listener(request), target=target)
    return _done(request, _("%(name)s is no longer blocked.") % {"name": name_of(target)})


@require_POST
@listener_required
def rest(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave a song out for a while."""
    track = get_object_or_404(Track.objects.active(), pk=pk)
    steering.rest(user=_listener(request), track=track)
    text = ngettext("%(song)s rests for %(days)d day.", "%(song)s rests for %(days)d days.", steering.REST_DAYS)
    said = text % {"song": track.title, "days": steering.REST_DAYS}
    return _done(request, said, reverse("feedback:unblock"), kind="track", id=pk)


@require_POST
@listener_required
def adjust(request: HttpRequest) -> HttpResponse:
    """Turn a line of the taste up, down or off, or back to normal."""
    form = LineForm(request.POST)
    if not form.is_valid():
        return _refused(form)
    line, level = form.cleaned_data["line"], form.cleaned_data["level"]
    steering.adjust(user=_listener(request), line=line, level=level)
    texts = {
        "up": _("%(name)s counts double."),
        "down": _("%(name)s counts half."),
        "off": _("%(name)s does not count."),
        "normal": _("%(name)s counts as learned."),
    }
    undo = {} if level == "normal" else {"kind": form.cleaned_data["kind"], "id": form.data["id"], "level": "normal"}
    return _done(request, texts[level] % {"name": name_of(line)}, reverse("feedback:adjust") if undo else "", **undo)


@require_POST
@listener_required
def exclude(request: HttpRequest) -> HttpResponse:
    """Let a song or an artist not count in the taste."""
    form = ExcludeForm(request.POST)
    if not form.is_valid():
        return _refused(form)
    row = steering.exclude(user=_listener(request), target=form.cleaned_data["target"])
    text = _("%(name)s does not count in your taste.") % {"name": name_of(form.cleaned_data["target"])}
    return _done(request, text, reverse("feedback:count_again", args=[row.pk]))


@require_POST
@listener_required
def exclude_period(request: HttpRequest) -> HttpResponse:
    """Let what was done in a period not count in the taste."""
    form = PeriodForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect_back(request)
    period = steering.exclude_period(user=_listener(request), **form.cleaned_data)
    return _done(request, _("That time does not count."), reverse("feedback:count_again", args=[period.pk]))


@require_POST
@listener_required
def count_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Let what was excluded count again."""
    steering.count_again(exclusion=get_object_or_404(TasteExclusion, pk=pk, user=_listener(request)))
    return _done(request, _("It counts again."))


@require_POST
@listener_required
def private_session(request: HttpRequest) -> HttpResponse:
    """Begin or end a private session."""
    if request.POST.get("on") == "1":
        steering.start_private_session(user=_listener(request))
        return _done(request, _("Private session: nothing you do counts in your taste until you end it."))
    exclusion = steering.end_private_session(user=_listener(request))
    text = _("The private session has ended. What you did in it does not count.")
    return _done(request, text, reverse("feedback:count_again", args=[exclusion.pk]) if exclusion else "")


def name_of(line: Track | Artist | Genre | str) -> str:
    """Return what a line of the taste, or what is blocked, is called."""
    if isinstance(line, str):
        return str(FEATURES[line].label)
    return line.title if isinstance(line, Track) else line.name


def _listener(request: HttpRequest) -> User:
    return cast(User, request.user)


def _done(request: HttpRequest, text: str, undo_url: str = "", **undo: Any) -> HttpResponse:
    """Say what was done, with the way back: in the sheet, or on the page the listener comes back to."""
    if is_htmx(request) and request.htmx.target == SHEET:  # type: ignore[attr-defined]
        way_back = undo_form(request, undo_url, **undo) if undo_url else ""
        answer = render(request, "feedback/_said.html", {"text": text, "undo": way_back})
        return trigger_client_event(answer, "taste-changed")
    if undo_url:
        say_with_undo(request, text, undo_url, **undo)
    else:
        messages.success(request, text)
    return redirect_back(request)


def _refused(form: Form) -> HttpResponse:
    return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain")
