"""Writes of weekly lists by their listeners."""

from __future__ import annotations

import secrets

from django.core import signing
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language

from accounts.locks import lock_user
from accounts.models import User
from accounts.tokens.services import digest_of
from feedback.playlists.models import Playlist
from feedback.playlists.services import create_playlist
from recommender.models import Recommendation, WeeklyEmail, WeeklyFeed, WeeklyList
from recommender.weekly.selectors import tracks_of

_TOKEN_BYTES = 32
_SALT = "recommender.weekly.email"


@transaction.atomic
def mark_seen(*, weekly_list: WeeklyList) -> None:
    """Note that the listener has seen the list: from now on its songs count as shown."""
    if WeeklyList.objects.filter(pk=weekly_list.pk, seen_at=None).update(seen_at=timezone.now()):
        Recommendation.objects.filter(page=weekly_list.page).update(is_shown=True)


def save_as_playlist(*, weekly_list: WeeklyList) -> Playlist:
    """Make a playlist of the list's shown songs, which the listener may change. Raise ``PlaylistFullError``."""
    return create_playlist(owner=weekly_list.user, name=weekly_list.title, tracks=tracks_of(weekly_list))


@transaction.atomic
def renew_feed(*, user: User) -> str:
    """Make the listener's feed, or give it a new address, which ends the old one; return its token, stored nowhere."""
    lock_user(user)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    columns = {"digest": digest_of(token), "language": get_language() or "en", "created_at": timezone.now()}
    WeeklyFeed.objects.update_or_create(user=user, defaults=columns)
    return token


def end_feed(*, user: User) -> None:
    """Delete the listener's feed: its address is not found any more."""
    WeeklyFeed.objects.filter(user=user).delete()


def find_feed(token: str) -> WeeklyFeed | None:
    """Return the feed of that token, with its active listener."""
    feeds = WeeklyFeed.objects.select_related("user").filter(user__is_active=True)
    return feeds.filter(digest=digest_of(token)).first()


@transaction.atomic
def start_emails(*, user: User, origin: str) -> None:
    """Send the listener each list from now on; ``origin``: scheme and host of this site, for the links."""
    lock_user(user)
    columns = {"origin": origin[:300], "language": get_language() or "en"}
    WeeklyEmail.objects.update_or_create(user=user, defaults=columns)


def end_emails(*, user_id: int) -> None:
    """Send the listener no more lists."""
    WeeklyEmail.objects.filter(user_id=user_id).delete()


def end_token(user_id: int) -> str:
    """Return what ends a listener's emails without a log-in; it can do nothing else."""
    return signing.Signer(salt=_SALT).sign_object(user_id)


def listener_of_token(token: str) -> int | None:
    """Return the id of the listener whose emails the token ends; ``None`` for a text that we did not sign."""
    try:
        user_id = signing.Signer(salt=_SALT).unsign_object(token)
    except (signing.BadSignature, ValueError):
        return None
    return user_id if isinstance(user_id, int) else None
