"""Pages of blends. A blend that the listener is no member of answers 404, and so does another's invitation."""

from __future__ import annotations

from collections import Counter

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.limits.caps import CapError
from accounts.limits.limiter import limited
from feedback.playlists.services import PlaylistFullError, create_playlist
from feedback.web.http import listener_of, listener_required, page_of
from recommender.blends import services
from recommender.blends.forms import AnswerForm, BlendNameForm, InviteForm
from recommender.blends.reasons import rows_for
from recommender.blends.selectors import (
    INVITATION_DAYS,
    blends_of,
    invitations_of,
    is_current,
    own_blend,
    pending_of,
    songs_of,
    tracks_of,
)
from recommender.models import Blend, BlendMember
from recommender.models.blends import MAX_MEMBERS


@require_http_methods(["GET", "HEAD", "POST"])
@listener_required
@never_cache
def blends(request: HttpRequest) -> HttpResponse:
    """Show the listener's blends and invitations; create a blend."""
    user = listener_of(request)
    form = BlendNameForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            return redirect(services.create_blend(user=user, name=form.cleaned_data["name"]))
        except CapError as error:
            form.add_error("name", str(error))
    context = {"page": page_of(request, blends_of(user)), "invitations": invitations_of(user)[:30], "form": form}
    return render(request, "recommender/blends.html", context, status=422 if form.errors else 200)


@require_safe
@listener_required
@never_cache
def blend(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one blend."""
    return _blend_page(request, *own_blend(listener_of(request), pk), InviteForm())


@require_POST
@listener_required
@limited("feedback")
def invite(request: HttpRequest, pk: int) -> HttpResponse:
    """Invite a name. The answer is the same whether or not somebody has it."""
    shown, member = own_blend(listener_of(request), pk)
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            invitation = services.invite(member=member, username=form.cleaned_data["username"])
        except (CapError, services.InvitationError) as error:
            form.add_error("username", str(error))
        else:
            text = _("Invited %(name)s. If there is a listener of that name, they'll find it under Blends.")
            messages.success(request, text % {"name": invitation.username})
            return redirect(shown)
    return _blend_page(request, shown, member, form)


@require_POST
@listener_required
def withdraw(request: HttpRequest, pk: int, invitation_pk: int) -> HttpResponse:
    """Take an invitation of the blend back."""
    shown, _member = own_blend(listener_of(request), pk)
    invitation = get_object_or_404(pending_of(shown), pk=invitation_pk)
    services.withdraw(invitation=invitation)
    messages.success(request, _("Withdrew the invitation of %(name)s.") % {"name": invitation.username})
    return redirect(shown)


@require_POST
@listener_required
def rename(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a blend another name."""
    shown, _member = own_blend(listener_of(request), pk)
    form = BlendNameForm(request.POST)
    if form.is_valid():
        services.rename_blend(blend=shown, name=form.cleaned_data["name"])
    else:
        messages.error(request, _("Give the blend a name of up to 60 characters."))
    return redirect(shown)


@require_POST
@listener_required
@limited("feedback")
def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave a blend."""
    left, member = own_blend(listener_of(request), pk)
    services.leave(member=member)
    messages.success(request, _("You left %(name)s. Your taste doesn't count there any more.") % {"name": left.name})
    return redirect("recommender:blends")


@require_POST
@listener_required
@limited("feedback")
def save(request: HttpRequest, pk: int) -> HttpResponse:
    """Save a blend's list as a playlist."""
    shown, _member = own_blend(listener_of(request), pk)
    tracks = list(tracks_of(shown))
    if not tracks:
        # Somebody joined or left since the page with the button was loaded.
        messages.error(request, _("Nothing was saved, because this blend has no songs just now."))
        return redirect(shown)
    try:
        playlist = create_playlist(owner=listener_of(request), name=shown.name, tracks=tracks)
    except PlaylistFullError as error:
        messages.error(request, str(error))
        return redirect(shown)
    messages.success(request, _("Saved as a playlist. You can change it as you like."))
    return redirect(playlist)


@require_http_methods(["GET", "HEAD", "POST"])
@listener_required
@never_cache
def invitation(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Show what joining means, and take the answer."""
    user = listener_of(request)
    shown = get_object_or_404(invitations_of(user), pk=pk)
    if request.method != "POST":
        context = {"invitation": shown, "most_members": MAX_MEMBERS}
        return render(request, "recommender/blend_invitation.html", context)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain")
    if form.cleaned_data["answer"] == "decline":
        services.decline(user=user, invitation=shown)
        messages.success(request, _("Declined. Whoever invited you isn't told."))
        return redirect("recommender:blends")
    try:
        joined = services.accept(user=user, invitation=shown)
    except CapError as error:
        messages.error(request, str(error))
        return redirect("recommender:blends")
    messages.success(request, _("You've joined %(name)s.") % {"name": joined.name})
    return redirect(joined)


def _blend_page(request: HttpRequest, shown: Blend, member: BlendMember, form: InviteForm) -> HttpResponse:
    rows = rows_for(member.user, songs_of(shown))
    members = list(shown.members.all())
    counts = Counter(fit.member_id for row in rows for fit in row.song.fits.all())
    pending = list(pending_of(shown))
    context = {
        "blend": shown,
        "is_current": is_current(shown),
        "rows": rows,
        "tracks": [row.song.track for row in rows],
        "members": [(row, counts[row.pk]) for row in members],
        "member": member,
        "pending": pending,
        "form": form,
        "has_room": len(members) + len(pending) < MAX_MEMBERS,
        "most_members": MAX_MEMBERS,
        "invitation_days": INVITATION_DAYS,
    }
    return render(request, "recommender/blend.html", context, status=422 if form.errors else 200)
