"""Writes of the Spotify connection."""

from collections.abc import Callable, Iterable
from datetime import datetime

from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts.locks import lock_user
from accounts.models import User
from accounts.spotify.fields import Secret
from accounts.spotify.models import SpotifyAccount

PROVIDER = "spotify"
_TOKENS = ("access_token", "refresh_token")


AccountHandler = Callable[[User], None]
_account_handlers: list[AccountHandler] = []
KeyHolder = Callable[[], tuple[int, int]]
"""``seal_again()``: encrypt other secrets anew; how many that were, and how many no key opens."""
_key_holders: list[KeyHolder] = []


class AccountTakenError(Exception):
    """The Spotify account is connected with another listener's."""


def register_account_handler(handler: AccountHandler) -> None:
    """Have ``handler(user)`` called, in the same transaction, when a Spotify account is no longer the listener's.

    It forgets what belongs to that account, such as the ids of playlists.
    """
    if handler not in _account_handlers:
        _account_handlers.append(handler)


@transaction.atomic
def connect(
    *,
    user: User,
    account_id: str,
    display_name: str,
    access_token: str,
    refresh_token: str,
    expires_at: datetime,
    scopes: Iterable[str],
) -> SpotifyAccount:
    """Connect the listener with a Spotify account, in place of an earlier one.

    Raise ``AccountTakenError`` where another listener has connected it: it is never moved.
    """
    lock_user(user)
    if SpotifyAccount.objects.filter(account_id=account_id).exclude(user=user).exists():
        raise AccountTakenError(account_id)
    known = SpotifyAccount.objects.filter(user=user).first()
    if known is not None and known.account_id != account_id:
        _leave(user)
    account = known or SpotifyAccount(user=user)
    account.account_id, account.display_name = account_id, display_name[:200]
    account.access_token, account.refresh_token = Secret(access_token), Secret(refresh_token)
    account.expires_at, account.authorised_at = expires_at, timezone.now()
    account.scopes = " ".join(sorted(scopes))
    account.needs_reconnect, account.lease_until, account.emailed_at = False, None, None
    account.version = account.version + 1
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError:
        raise AccountTakenError(account_id) from None
    # What allauth signs listeners in by.
    SocialAccount.objects.filter(user=user, provider=PROVIDER).exclude(uid=account_id).delete()
    SocialAccount.objects.update_or_create(provider=PROVIDER, uid=account_id, defaults={"user": user, "extra_data": {}})
    return account


@transaction.atomic
def disconnect(*, user: User) -> bool:
    """Forget the listener's tokens and which Spotify account is theirs; return whether there was one."""
    lock_user(user)
    _leave(user)
    SocialAccount.objects.filter(user=user, provider=PROVIDER).delete()
    deleted, _rows = SpotifyAccount.objects.filter(user=user).delete()
    return deleted > 0


def _leave(user: User) -> None:
    for handler in _account_handlers:
        handler(user)


def store_tokens(*, account: SpotifyAccount, access_token: Secret, refresh_token: Secret, expires_at: datetime) -> bool:
    """Keep refreshed tokens, and the old refresh token where no new one came.

    Nothing is written when the listener disconnected or reconnected meanwhile; returns whether it was.
    """
    new = {"access_token": access_token, **({"refresh_token": refresh_token} if refresh_token else {})}
    same = SpotifyAccount.objects.filter(pk=account.pk, version=account.version)
    return same.update(**new, expires_at=expires_at, version=F("version") + 1, lease_until=None) == 1


def end_connection(*, account: SpotifyAccount) -> bool:
    """Record that Spotify has ended the connection; its tokens are worth nothing any more and go."""
    same = SpotifyAccount.objects.filter(pk=account.pk, version=account.version)
    gone = {"access_token": "", "refresh_token": "", "needs_reconnect": True}
    return same.update(**gone, version=F("version") + 1, lease_until=None) == 1


def register_key_holder(seal_again: KeyHolder) -> None:
    """Have secrets of apps above encrypted anew with the tokens; they call this in ``AppConfig.ready``."""
    if seal_again not in _key_holders:
        _key_holders.append(seal_again)


def rotate_keys() -> tuple[int, int]:
    """Encrypt all secrets anew with the first key; return how many connections, and how many no key opens.

    What no key opens is left as it is, for the key may be found again.
    """
    done = failed = 0
    for pk in list(SpotifyAccount.objects.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            account = SpotifyAccount.objects.select_for_update().filter(pk=pk).first()
            if account is None:
                continue
            if not account.needs_reconnect and not (account.access_token and account.refresh_token):
                failed += 1
                continue
            # Writing encrypts, with the first key.
            account.save(update_fields=_TOKENS)
            done += 1
    for seal_again in _key_holders:
        more, unreadable = seal_again()
        done, failed = done + more, failed + unreadable
    return done, failed
