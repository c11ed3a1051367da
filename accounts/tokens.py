"""Personal tokens, with which a listener's programs call the API."""

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.locks import wait_for_other_changes
from accounts.models import ApiToken, User

# By this beginning, scanners of code and logs know a token that slipped into either.
PREFIX = "earworm_"
MAX_TOKENS = 20
# "Last used" is kept to the minute: no write for every call.
_USED_STEP = timedelta(minutes=1)


class TooManyTokensError(Exception):
    """The listener has ``MAX_TOKENS`` already."""


@transaction.atomic
def create_token(*, user: User, name: str, scope: str) -> tuple[ApiToken, str]:
    """Make a token; return it with the key, which cannot be had again.

    Raises ``TooManyTokensError``, and ``ValueError`` for a scope that does not exist.
    """
    wait_for_other_changes(user)
    if ApiToken.objects.filter(user=user).count() >= MAX_TOKENS:
        raise TooManyTokensError(f"{MAX_TOKENS} tokens are the most")
    key = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(user=user, name=name, scope=ApiToken.Scope(scope), digest=digest_of(key))
    return token, key


def revoke_token(*, token: ApiToken) -> None:
    """Let a token open nothing any more."""
    token.delete()


def find_token(key: str) -> ApiToken | None:
    """Return the token of that key, its active listener with it, and note that it was used."""
    if not key.startswith(PREFIX) or len(key) > 100:
        return None
    token = ApiToken.objects.select_related("user").filter(digest=digest_of(key), user__is_active=True).first()
    if token is not None:
        now = timezone.now()
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - _USED_STEP)
        if token.last_used_at is None or token.last_used_at < now - _USED_STEP:
            ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    return token


def digest_of(key: str) -> str:
    """Return what the database keeps of a key."""
    return hashlib.sha256(key.encode()).hexdigest()
