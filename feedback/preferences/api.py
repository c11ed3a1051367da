"""Calls about stated preferences, blocks, adjustments and exclusions."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, QueryDict
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Query, Router, Status

from accounts.apikit.auth import LISTENER, limits, listener_of
from accounts.apikit.paging import PageQuery, newest_page
from accounts.apikit.problems import ProblemError, refuse_form, responses
from accounts.models import User
from catalog.models import Track
from catalog.schemas import RowId
from catalog.selectors import unknown_ids
from feedback.preferences import services as preference_services
from feedback.preferences.forms import ExcludeForm, LineForm, PeriodForm, PreferencesForm, TargetForm
from feedback.preferences.models import Block, TasteExclusion
from feedback.preferences.schemas import (
    BlockIn,
    BlockOut,
    BlockPage,
    ChangedPreferencesOut,
    ExclusionIn,
    ExclusionOut,
    ExclusionPage,
    Kind,
    PreferencesIn,
    PreferencesOut,
    PrivateIn,
    TasteLine,
)
from feedback.preferences.selectors import preferred_artists, preferred_genres
from feedback.ratings import selectors
from feedback.ratings.models import Rating

# Number of likes and dislikes returned with the preferences.
_LATEST = 50


router = Router(tags=["taste"])
_BODY = (400, 413, 415)
_LIMITS = limits("api", "feedback")


@router.get("/user/blocks", summary="List your blocks", auth=LISTENER, response=responses(BlockPage))
def blocks(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """Songs, artists and genres you blocked or snoozed, latest first."""
    rows = Block.objects.in_force().filter(user=listener_of(request)).select_related("track", "artist", "genre")
    items, more = newest_page(rows, name="blocks", by="created_at", page=page)
    return {"items": [_told(row) for row in items], "next": more}


@router.get("/user/taste/exclusions", summary="List your exclusions", auth=LISTENER, response=responses(ExclusionPage))
def exclusions(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """What you excluded from your taste, latest first."""
    rows = TasteExclusion.objects.filter(user=listener_of(request))
    items, more = newest_page(rows, name="exclusions", by="created_at", page=page)
    return {"items": items, "next": more}


@router.post(
    "/user/blocks",
    summary="Block a song, artist or genre",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(BlockOut, *_BODY, status=201),
)
def block(request: HttpRequest, body: BlockIn) -> Any:
    """Stop recommending a song, an artist or a genre, permanently or for some days."""
    form = _checked(TargetForm(_as_form(kind=body.kind, id=body.id)))
    until = timezone.now() + timedelta(days=body.days) if body.days else None
    made = preference_services.block(user=listener_of(request), target=form.cleaned_data["target"], until=until)
    return Status(201, _told(made))


@router.post(
    "/songs/{song_id}/rest",
    summary="Snooze a song",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(BlockOut, 404, status=201),
)
def rest(request: HttpRequest, song_id: RowId) -> Any:
    """Don't recommend a song for 30 days. To undo, delete the block."""
    track = get_object_or_404(Track.objects.active(), pk=song_id)
    return Status(201, _told(preference_services.snooze(user=listener_of(request), track=track)))


@router.delete(
    "/user/blocks/{kind}/{target_id}", auth=LISTENER, throttle=_LIMITS, response=responses(None, 404, status=204)
)
def unblock(request: HttpRequest, kind: Kind, target_id: RowId) -> Any:
    """Remove a block."""
    target = get_object_or_404(TargetForm.rows(kind), pk=target_id)
    if not preference_services.unblock(user=listener_of(request), target=target):
        raise ProblemError(404, _("This isn't blocked."))
    return Status(204, None)


@router.put(
    "/user/taste/lines",
    summary="Adjust your taste",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(None, *_BODY, status=204),
)
def adjust(request: HttpRequest, body: TasteLine) -> Any:
    """Turn an artist, a genre or an audio feature up, down, off or back to normal."""
    form = _checked(LineForm(_as_form(kind=body.kind, id=body.id, level=body.level)))
    preference_services.adjust(user=listener_of(request), target=form.cleaned_data["line"], level=body.level)
    return Status(204, None)


@router.post(
    "/user/taste/exclusions",
    summary="Exclude from your taste",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(ExclusionOut, *_BODY, status=201),
)
def exclude(request: HttpRequest, body: ExclusionIn) -> Any:
    """Exclude a song or an artist (`kind`, `id`), or a period (`since`, `until`), from your taste."""
    user = listener_of(request)
    if body.kind is not None:
        target = _checked(ExcludeForm(_as_form(kind=body.kind, id=body.id))).cleaned_data["target"]
        return Status(201, preference_services.exclude(user=user, target=target))
    period = _checked(PeriodForm({"since": body.since, "until": body.until})).cleaned_data
    return Status(201, preference_services.exclude_period(user=user, since=period["since"], until=period["until"]))


@router.delete(
    "/user/taste/exclusions/{exclusion_id}",
    summary="Remove an exclusion",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(None, 404, status=204),
)
def remove_exclusion(request: HttpRequest, exclusion_id: RowId) -> Any:
    """Make something count towards your taste again."""
    preference_services.remove_exclusion(
        exclusion=get_object_or_404(TasteExclusion, pk=exclusion_id, user=listener_of(request))
    )
    return Status(204, None)


@router.put(
    "/user/taste/private",
    summary="Start or end a private session",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(None, *_BODY, status=204),
)
def private_session(request: HttpRequest, body: PrivateIn) -> Any:
    """Start or end a private session. What you do during it doesn't count towards your taste."""
    user = listener_of(request)
    if body.is_private:
        preference_services.start_private_session(user=user)
    else:
        preference_services.end_private_session(user=user)
    return Status(204, None)


def _told(block: Block) -> dict[str, Any]:
    return {
        "kind": block.kind,
        "id": block.target.pk,
        "name": str(block.target),
        "until": block.until,
        "created_at": block.created_at,
    }


def _as_form(**values: Any) -> QueryDict:
    data = QueryDict(mutable=True)
    data.update({name: str(value) for name, value in values.items() if value is not None})
    return data


def _checked(form: Any) -> Any:
    if not form.is_valid():
        raise refuse_form(form)
    return form


@router.get(
    "/user/preferences",
    summary="Get your preferences",
    auth=LISTENER,
    response=responses(PreferencesOut),
)
def preferences(request: HttpRequest) -> Any:
    """The genres and artists you chose."""
    return _preferences(listener_of(request))


@router.put(
    "/user/preferences",
    summary="Update your preferences",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(ChangedPreferencesOut, 404, *_BODY),
)
def change_preferences(request: HttpRequest, body: PreferencesIn) -> Any:
    """Set the genres and artists you like. Unknown IDs are left out and named in the response."""
    user = listener_of(request)
    form = PreferencesForm({"genre": body.genres, "artist": body.artists})
    if not form.is_valid():
        raise refuse_form(form, {"genre": "genres", "artist": "artists"})
    genres, artists = form.cleaned_data["genre"], form.cleaned_data["artist"]
    preference_services.set_preferences(user=user, genres=genres, artists=artists)
    return {
        **_preferences(user),
        "unknown_genres": unknown_ids(body.genres, genres),
        "unknown_artists": unknown_ids(body.artists, artists),
    }


def _preferences(user: User) -> dict[str, Any]:
    likes = selectors.ratings_of(user, Rating.Value.LIKE)
    dislikes = selectors.ratings_of(user, Rating.Value.DISLIKE)
    return {
        "genres": list(preferred_genres(user)),
        "artists": list(preferred_artists(user)),
        "likes": [rating.track for rating in likes[:_LATEST]],
        "dislikes": [rating.track for rating in dislikes[:_LATEST]],
        "like_count": likes.count(),
        "dislike_count": dislikes.count(),
    }
