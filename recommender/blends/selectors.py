"""Reads of blends."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db.models import Count, F, Prefetch, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone

from accounts.models import User
from catalog.models import Track, TrackQuerySet
from recommender.models import Blend, BlendFit, BlendInvitation, BlendMember, BlendSong

INVITATION_DAYS = 14
"""Days in which an invitation can be accepted. They pass alike whether or not somebody has that name."""

_ACTIVE = Q(members__user__is_active=True)


def blends_of(user: User) -> QuerySet[Blend]:
    """Return the listener's blends, the newest first, with members, ``member_count`` and ``song_count``.

    A list is made for the members whose account is active, and these are counted.
    """
    mine = Blend.objects.filter(pk__in=BlendMember.objects.filter(user=user).values("blend"))
    members = BlendMember.objects.filter(user__is_active=True).select_related("user").order_by("seat")
    listed = Count("songs", filter=Q(songs__track__is_active=True), distinct=True)
    return (
        mine.annotate(member_count=Count("members", filter=_ACTIVE, distinct=True), song_count=listed)
        .prefetch_related(Prefetch("members", members))
        .order_by("-created_at", "-id")
    )


def own_blend(user: User, pk: int) -> tuple[Blend, BlendMember]:
    """Return a blend of the listener's and their membership. Raise ``Http404`` for any other."""
    blend = get_object_or_404(blends_of(user), pk=pk)
    # The members are read after the blend: whoever left in between is none of them.
    member = next((member for member in blend.members.all() if member.user_id == user.pk), None)
    if member is None:
        raise Http404("not a member any more")
    return blend, member


def is_current(blend: Blend) -> bool:
    """Return whether the list of a blend of ``blends_of`` was made for those who are its members now."""
    count: int = blend.member_count  # type: ignore[attr-defined]
    return count >= 2 and blend.listed_members == count


def songs_of(blend: Blend) -> list[BlendSong]:
    """Return the shown songs in order, with what a list row shows, who each is for and why; none of an old list."""
    if not is_current(blend):
        return []
    fits = BlendFit.objects.filter(member__user__is_active=True)
    fits = fits.select_related("member__user").order_by("member__seat")
    songs = BlendSong.objects.filter(blend=blend, track__is_active=True).order_by("position")
    return list(songs.prefetch_related(Prefetch("track", Track.objects.for_list()), Prefetch("fits", fits)))


def tracks_of(blend: Blend) -> TrackQuerySet:
    """Return the shown songs of a current list in order."""
    tracks = Track.objects.active().filter(blend_songs__blend=blend)
    return (tracks if is_current(blend) else tracks.none()).order_by("blend_songs__position")


def pending_of(blend: Blend) -> QuerySet[BlendInvitation]:
    """Return the blend's invitations that have not ended, the newest first.

    Declined ones are among them: that somebody declined would say that they have an account.
    """
    return BlendInvitation.objects.filter(blend=blend, created_at__gt=open_since()).select_related("invited_by__user")


def pending_by(user: User) -> QuerySet[BlendInvitation]:
    """Return the invitations that the listener sent, in any blend, and that have not ended."""
    return BlendInvitation.objects.filter(invited_by__user=user, created_at__gt=open_since())


def invitations_of(user: User) -> QuerySet[BlendInvitation]:
    """Return the invitations that the listener can answer, the newest first, with blend, members and who invited."""
    open_ones = BlendInvitation.objects.filter(
        username=user.username, created_at__gt=open_since(), invited_by__user__is_active=True
    )
    theirs = Q(blend__members__user=user) | Q(blend__refusals__user=user)
    members = BlendMember.objects.filter(user__is_active=True).select_related("user").order_by("seat")
    return (
        open_ones.exclude(pk__in=BlendInvitation.objects.filter(theirs).values("pk"))
        .select_related("blend", "invited_by__user")
        .prefetch_related(Prefetch("blend__members", members))
        .order_by("-created_at", "-id")
    )


def due_blends(monday: date | None) -> QuerySet[Blend]:
    """Return the blends whose list has to be made, by id.

    It is of an earlier week than the one that begins on ``monday`` (``None``: weekly renewal is off), or it was made
    for other members.
    """
    outdated = Q(week=None) | ~Q(listed_members=F("member_count"))
    if monday is not None:
        outdated |= Q(week__lt=monday)
    counted = Blend.objects.annotate(member_count=Count("members", filter=_ACTIVE, distinct=True))
    return counted.filter(outdated, began_at__isnull=False, member_count__gte=2).order_by("pk")


def broken_blends() -> QuerySet[Blend]:
    """Return the blends that should have ended, or whose list was made for members that are gone, by id."""
    counted = Blend.objects.annotate(all_members=Count("members"), active_members=Count("members", filter=_ACTIVE))
    has_ended = Q(all_members=0) | Q(began_at__isnull=False, all_members__lt=2)
    is_outdated = Q(listed_members__gt=0) & ~Q(listed_members=F("active_members"))
    return counted.filter(has_ended | is_outdated).order_by("pk")


def open_since() -> datetime:
    """Return the time of the oldest invitation that can still be accepted."""
    return timezone.now() - timedelta(days=INVITATION_DAYS)
