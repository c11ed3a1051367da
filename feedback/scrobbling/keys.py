"""Tokens of players: UUIDs that may report plays and nothing else."""

import hashlib
import hmac
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.digests import keyed_digest
from accounts.locks import lock_user
from accounts.models import User
from accounts.tokens.services import digest_of
from feedback.scrobbling.models import OldProtocols, ScrobbleKey
from jobs.patience import AWAY, impatient, reconnect_if_lost

MAX_KEYS = 20
# "Last used" is stored to the minute, to avoid a write per call.
_USED_STEP = timedelta(minutes=1)
_SESSION_SALT = "feedback.scrobbling.session"


class TooManyKeysError(Exception):
    """The listener has ``MAX_KEYS`` already."""


@transaction.atomic
def create_key(*, user: User, name: str) -> tuple[ScrobbleKey, str]:
    """Create a token; return it with its text, which is not stored. Raise ``TooManyKeysError``."""
    lock_user(user)
    if ScrobbleKey.objects.filter(user=user).count() >= MAX_KEYS:
        raise TooManyKeysError(f"you can have up to {MAX_KEYS} player tokens")
    text = str(uuid4())
    old = _md5(text) if has_old_protocols(user) else ""
    return ScrobbleKey.objects.create(user=user, name=name, digest=digest_of(text), old_digest=old), text


def revoke_key(*, key: ScrobbleKey) -> None:
    """Revoke a token; what it reported stays."""
    key.delete()


def has_old_protocols(user: User) -> bool:
    """Return whether the listener switched the old protocols on."""
    return OldProtocols.objects.filter(user=user).exists()


@transaction.atomic
def set_old_protocols(*, user: User, is_on: bool) -> None:
    """Switch the old protocols on, for tokens created from now on, or off, which deletes what they need."""
    lock_user(user)
    if is_on:
        OldProtocols.objects.get_or_create(user=user)
        return
    OldProtocols.objects.filter(user=user).delete()
    ScrobbleKey.objects.filter(user=user).update(old_digest="")


def find_key(text: str) -> ScrobbleKey | None:
    """Return the token of that text, in whichever case, with its active listener."""
    try:
        canonical = str(UUID(text))
    except ValueError:
        return None
    return _usable().filter(digest=digest_of(canonical)).first()


def note_use(key: ScrobbleKey, client: str) -> None:
    """Note that a token was used, and by which program."""
    now, client = timezone.now(), client[:60]
    is_fresh = key.last_used_at is not None and abs(key.last_used_at - now) <= _USED_STEP
    if not is_fresh or key.last_client != client:
        _write_use(key, client, now)


def _write_use(key: ScrobbleKey, client: str, now: datetime) -> None:
    try:
        with impatient():
            ScrobbleKey.objects.filter(pk=key.pk).update(last_used_at=now, last_client=client)
    except AWAY:
        if connection.in_atomic_block:
            raise
        reconnect_if_lost()


def keys_of(username: str) -> list[ScrobbleKey]:
    """Return the tokens with which the listener of that name may speak the old protocols."""
    name = User.normalize_username(username)[:150]
    return list(_usable().filter(user__username=name).exclude(old_digest="").filter(_ON))


def key_of_session(session: str) -> ScrobbleKey | None:
    """Return the token that a session of the old protocols was opened with, if it is still good for one."""
    number, _dash, _rest = session.partition("-")
    if len(session) > 60 or not (number.isascii() and number.isdigit()):
        return None
    key = _usable().filter(_ON, pk=int(number)).exclude(old_digest="").first() if len(number) < 18 else None
    return key if key is not None and hmac.compare_digest(session_of(key).encode(), session.encode()) else None


def session_of(key: ScrobbleKey) -> str:
    """Return the session of a token, which is always the same, so that nothing is stored and sessions survive a
    restart."""
    return f"{key.pk}-{keyed_digest(f'{_SESSION_SALT}:{key.pk}:{key.digest}')[:32]}"


_ON = Q(user__old_protocols__isnull=False)


def _usable() -> "QuerySet[ScrobbleKey]":
    return ScrobbleKey.objects.select_related("user").filter(user__is_active=True)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
