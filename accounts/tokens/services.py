"""Personal tokens, with which a listener's programs call the API."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.limits.caps import room_below
from accounts.locks import lock_user
from accounts.login.notices import send_notice
from accounts.models import ApiToken, User
from jobs.patience import AWAY, impatient, reconnect_if_lost

# By this beginning, scanners of code and logs know a token that slipped into either.
PREFIX = "earworm_"
# "Last used" is kept to the minute: no write for every call.
_USED_STEP = timedelta(minutes=1)


class TooManyTokensError(Exception):
    """The listener has ``LISTENER_MAX_TOKENS`` already."""


@transaction.atomic
def create_token(*, user: User, name: str, scope: str, days: int | None = None) -> tuple[ApiToken, str]:
    """Make a token that expires after ``days``, or never; return it with the key, which cannot be had again.

    The listener is told by email. Raise ``TooManyTokensError``, and ``ValueError`` for a scope that does not exist.
    """
    lock_user(user)
    cap = settings.LISTENER_MAX_TOKENS
    if not room_below(cap, ApiToken.objects.filter(_in_force(), user=user).count()):
        raise TooManyTokensError(f"you can have up to {cap} access tokens")
    key = PREFIX + secrets.token_urlsafe(32)
    expires_at = timezone.now() + timedelta(days=days) if days is not None else None
    token = ApiToken.objects.create(
        user=user, name=name, scope=ApiToken.Scope(scope), digest=digest_of(key), expires_at=expires_at
    )
    send_notice("account/email/token_created", user=user, token_name=name)
    return token, key


def revoke_token(*, token: ApiToken) -> None:
    """Let a token open nothing any more."""
    token.delete()


def find_token(key: str) -> ApiToken | None:
    """Return the token of that key, its active listener with it, and note that it was used."""
    if not key.startswith(PREFIX) or len(key) > 100:
        return None
    tokens = ApiToken.objects.select_related("user").filter(_in_force(), digest=digest_of(key), user__is_active=True)
    token = tokens.first()
    if token is not None:
        now = timezone.now()
        if token.last_used_at is None or abs(token.last_used_at - now) > _USED_STEP:
            _note_use(token, now)
    return token


def _in_force() -> Q:
    return Q(expires_at=None) | Q(expires_at__gt=timezone.now())


def _note_use(token: ApiToken, now: datetime) -> None:
    # What the token opens may be a read, which needs no write.
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - _USED_STEP) | Q(last_used_at__gt=now + _USED_STEP)
    try:
        with impatient():
            ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    except AWAY:
        if connection.in_atomic_block:
            raise
        reconnect_if_lost()


def digest_of(key: str) -> str:
    """Return what the database keeps of a key."""
    return hashlib.sha256(key.encode()).hexdigest()
