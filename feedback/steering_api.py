"""Calls by which the listener steers: blocks, lines of the taste, what does not count, private sessions."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, QueryDict
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Router, Status

from accounts.apikit.auth import LISTENER, limits, listener_of
from accounts.apikit.problems import ProblemError, answers, refuse_form
from catalog.models import Track
from catalog.schemas import RowId
from feedback import steering_services as steering
from feedback.steering_forms import ExcludeForm, LineForm, PeriodForm, TargetForm
from feedback.steering_models import Block, TasteExclusion
from feedback.steering_schemas import BlockIn, BlockOut, ExclusionIn, ExclusionOut, Kind, LineIn, PrivateIn

router = Router(tags=["steering"])
_BODY = (400, 413, 415)
_LIMITS = limits("api", "feedback")
_SHOWN = 1000


@router.get("/user/blocks", auth=LISTENER, response=answers(list[BlockOut]))
def blocks(request: HttpRequest) -> Any:
    """What is not recommended to you."""
    found = Block.objects.in_force().filter(user=listener_of(request))
    return [_told(row) for row in found.select_related("track", "artist", "genre")[:_SHOWN]]


@router.post("/user/blocks", auth=LISTENER, throttle=_LIMITS, response=answers(BlockOut, *_BODY, status=201))
def block(request: HttpRequest, body: BlockIn) -> Any:
    """Have a song, an artist or a genre not recommended, for good or for some days."""
    form = _checked(TargetForm(_as_form(kind=body.kind, id=body.id)))
    until = timezone.now() + timedelta(days=body.days) if body.days else None
    made = steering.block(user=listener_of(request), target=form.cleaned_data["target"], until=until)
    return Status(201, _told(made))


@router.post("/songs/{song_id}/rest", auth=LISTENER, throttle=_LIMITS, response=answers(BlockOut, 404, status=201))
def rest(request: HttpRequest, song_id: RowId) -> Any:
    """Not now: leave a song out for 30 days. Back: delete the block."""
    track = get_object_or_404(Track.objects.active(), pk=song_id)
    return Status(201, _told(steering.rest(user=listener_of(request), track=track)))


@router.delete(
    "/user/blocks/{kind}/{target_id}", auth=LISTENER, throttle=_LIMITS, response=answers(None, 404, status=204)
)
def unblock(request: HttpRequest, kind: Kind, target_id: RowId) -> Any:
    """Take a block back."""
    target = get_object_or_404(TargetForm.rows(kind), pk=target_id)
    if not steering.unblock(user=listener_of(request), target=target):
        raise ProblemError(404, "This is not blocked.")
    return Status(204, None)


@router.put("/user/taste/lines", auth=LISTENER, throttle=_LIMITS, response=answers(None, *_BODY, status=204))
def adjust(request: HttpRequest, body: LineIn) -> Any:
    """Turn an artist, a genre or an audio feature up, down or off, or back to normal."""
    form = _checked(LineForm(_as_form(kind=body.kind, id=body.id, level=body.level)))
    steering.adjust(user=listener_of(request), line=form.cleaned_data["line"], level=body.level)
    return Status(204, None)


@router.post(
    "/user/taste/exclusions", auth=LISTENER, throttle=_LIMITS, response=answers(ExclusionOut, *_BODY, status=201)
)
def exclude(request: HttpRequest, body: ExclusionIn) -> Any:
    """Let a song, an artist (`kind`, `id`) or a time (`since`, `until`) not count in your taste."""
    user = listener_of(request)
    if body.kind is not None:
        target = _checked(ExcludeForm(_as_form(kind=body.kind, id=body.id))).cleaned_data["target"]
        return Status(201, steering.exclude(user=user, target=target))
    period = _checked(PeriodForm({"since": body.since, "until": body.until})).cleaned_data
    return Status(201, steering.exclude_period(user=user, since=period["since"], until=period["until"]))


@router.delete(
    "/user/taste/exclusions/{exclusion_id}", auth=LISTENER, throttle=_LIMITS, response=answers(None, 404, status=204)
)
def count_again(request: HttpRequest, exclusion_id: RowId) -> Any:
    """Let what was excluded count again."""
    steering.count_again(exclusion=get_object_or_404(TasteExclusion, pk=exclusion_id, user=listener_of(request)))
    return Status(204, None)


@router.put("/user/taste/private", auth=LISTENER, throttle=_LIMITS, response=answers(None, *_BODY, status=204))
def private_session(request: HttpRequest, body: PrivateIn) -> Any:
    """Begin or end a private session: what you do in it does not count in your taste."""
    user = listener_of(request)
    if body.is_private:
        steering.start_private_session(user=user)
    else:
        steering.end_private_session(user=user)
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
