"""Calls about the listener's blends."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Status

from accounts.apikit.auth import LISTENER, limits, listener_of
from accounts.apikit.paging import PageQuery, newest_page
from accounts.apikit.problems import ProblemError, refuse_form, responses
from catalog.schemas import RowId
from recommender.api.blend_schemas import (
    BlendInvitationPage,
    BlendInvitedOut,
    BlendInviteIn,
    BlendNameIn,
    BlendOut,
    BlendPage,
    BlendSongs,
)
from recommender.blends import services
from recommender.blends.forms import BlendNameForm, InviteForm
from recommender.blends.reasons import BlendRow, rows_for
from recommender.blends.selectors import blends_of, invitations_of, is_current, own_blend, pending_of, songs_of
from recommender.models import Blend, BlendInvitation

router = Router(tags=["recommendations"])
_BODY = (400, 404, 413, 415)
_LIMITS = limits("api", "feedback")


@router.get("/blends", summary="List your blends", auth=LISTENER, response=responses(BlendPage))
def blends(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """Your blends, latest first."""
    items, more = newest_page(blends_of(listener_of(request)), name="blends", by="created_at", page=page)
    return {"items": [_blend(row) for row in items], "next": more}


@router.post(
    "/blends",
    summary="Create a blend",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(BlendOut, 400, 409, 413, 415, status=201),
)
def create(request: HttpRequest, body: BlendNameIn) -> Any:
    """Create a blend with you as its only member. Its list is made once somebody accepts your invitation."""
    user = listener_of(request)
    made = services.create_blend(user=user, name=_name(body.name))
    return Status(201, _blend(blends_of(user).get(pk=made.pk)))


@router.get("/blends/{blend_id}", summary="Get a blend", auth=LISTENER, response=responses(BlendSongs, 404))
def blend(request: HttpRequest, blend_id: RowId) -> Any:
    """One blend: its songs in order, who each is for and why, and the open invitations."""
    user = listener_of(request)
    shown, _member = own_blend(user, blend_id)
    rows = rows_for(user, songs_of(shown))
    return {"blend": _blend(shown), "items": [_song(row) for row in rows], "invitations": list(pending_of(shown))}


@router.patch(
    "/blends/{blend_id}",
    summary="Rename a blend",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(BlendOut, *_BODY),
)
def rename(request: HttpRequest, blend_id: RowId, body: BlendNameIn) -> Any:
    """Rename a blend, for all its members."""
    shown, _member = own_blend(listener_of(request), blend_id)
    services.rename_blend(blend=shown, name=_name(body.name))
    return _blend(shown)


@router.delete(
    "/blends/{blend_id}/membership",
    summary="Leave a blend",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(None, 404, status=204),
)
def leave(request: HttpRequest, blend_id: RowId) -> Any:
    """Leave a blend. The list made with your taste is deleted at once. A blend of one ends."""
    services.leave(member=own_blend(listener_of(request), blend_id)[1])
    return Status(204, None)


@router.post(
    "/blends/{blend_id}/invitations",
    summary="Invite to a blend",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(BlendInvitedOut, 409, *_BODY, status=201),
)
def invite(request: HttpRequest, blend_id: RowId, body: BlendInviteIn) -> Any:
    """Invite a listener. The answer doesn't tell whether somebody has this name. An invitation ends after 14 days."""
    _shown, member = own_blend(listener_of(request), blend_id)
    form = InviteForm({"username": body.username})
    if not form.is_valid():
        raise refuse_form(form)
    try:
        return Status(201, services.invite(member=member, username=form.cleaned_data["username"]))
    except services.InvitationError as error:
        raise ProblemError(409, str(error)) from error


@router.delete(
    "/blends/{blend_id}/invitations/{invitation_id}",
    summary="Withdraw an invitation to a blend",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(None, 404, status=204),
)
def withdraw(request: HttpRequest, blend_id: RowId, invitation_id: RowId) -> Any:
    """Withdraw an open invitation to a blend of yours."""
    shown, _member = own_blend(listener_of(request), blend_id)
    services.withdraw(invitation=get_object_or_404(pending_of(shown), pk=invitation_id))
    return Status(204, None)


@router.get(
    "/user/blend-invitations",
    summary="List your invitations to blends",
    auth=LISTENER,
    response=responses(BlendInvitationPage),
)
def invitations(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """Invitations you can answer, latest first."""
    rows = invitations_of(listener_of(request))
    items, more = newest_page(rows, name="blend-invitations", by="created_at", page=page)
    return {"items": [_invitation(row) for row in items], "next": more}


@router.post(
    "/user/blend-invitations/{invitation_id}/accept",
    summary="Join a blend",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(BlendOut, 404, 409),
)
def accept(request: HttpRequest, invitation_id: RowId) -> Any:
    """Join a blend. Your taste counts for its list from now on.

    Its members see your username, which songs are for you, and which kind of thing raised the score of each. They don't
    see what you like or play.
    """
    user = listener_of(request)
    joined = services.accept(user=user, invitation=get_object_or_404(invitations_of(user), pk=invitation_id))
    return _blend(blends_of(user).get(pk=joined.pk))


@router.post(
    "/user/blend-invitations/{invitation_id}/decline",
    summary="Decline an invitation to a blend",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(None, 404, status=204),
)
def decline(request: HttpRequest, invitation_id: RowId) -> Any:
    """Decline an invitation. Nobody is told."""
    user = listener_of(request)
    services.decline(user=user, invitation=get_object_or_404(invitations_of(user), pk=invitation_id))
    return Status(204, None)


def _name(name: str) -> str:
    form = BlendNameForm({"name": name})
    if not form.is_valid():
        raise refuse_form(form)
    return str(form.cleaned_data["name"])


def _blend(row: Blend) -> dict[str, Any]:
    is_shown = is_current(row)
    return {
        "id": row.pk,
        "name": row.name,
        "created_at": row.created_at,
        "members": [member.user.username for member in row.members.all()],
        "week": row.week if is_shown else None,
        "song_count": row.song_count if is_shown else 0,  # type: ignore[attr-defined]
    }


def _song(row: BlendRow) -> dict[str, Any]:
    others = [{"members": names, "because": kind or None} for kind, names in row.others.items()]
    return {"song": row.song.track, "is_for_you": row.is_own, "reason": row.own, "others": others}


def _invitation(row: BlendInvitation) -> dict[str, Any]:
    return {
        "id": row.pk,
        "blend": row.blend.name,
        "invited_by": row.invited_by.user.username,
        "members": [member.user.username for member in row.blend.members.all()],
        "created_at": row.created_at,
    }
