"""Link listeners with their accounts at music servers. The server itself judges the log-in."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from catalog.models import MusicServer
from catalog.sources.servers.services import abilities_of
from catalog.sources.subsonic.accounts import username_key, username_of
from catalog.sources.subsonic.client import Login, SubsonicClient, SubsonicError, is_safe_for_passwords
from feedback.music_servers.models import USERNAME_LENGTH, ServerAccount
from feedback.music_servers.selectors import with_secret
from jobs.races import conflict_as_integrity_error

# Missing parameters (supysonic, for a wrong password too), wrong log-in, and the kinds of log-in that it does not take.
_REFUSED = frozenset({10, 40, 41, 42, 43, 44, 50})


class LinkError(Exception):
    """The account cannot be linked."""


class WrongLoginError(LinkError):
    """The server does not accept the log-in."""


class AwayError(LinkError):
    """The server does not answer as it should; the message is for the operator."""


class TakenError(LinkError):
    """The account there is another listener's."""


class UnsafeError(LinkError):
    """An API key would be sent in the clear over the internet."""


def link_account(
    *,
    user: User,
    server: MusicServer,
    username: str,
    secret: str,
    is_api_key: bool = False,
    is_secret_kept: bool = False,
    are_marks_read: bool = False,
) -> ServerAccount:
    """Log in to ``server`` and link the account there with the listener; the secret is stored only on request.

    Linking again replaces the log-in; another account there replaces the first. Not atomic: it waits for the server.
    Raise ``LinkError``.
    """
    if is_api_key and not is_safe_for_passwords(server.address):
        raise UnsafeError
    remote_user = _judged_user(server, Login("" if is_api_key else username, secret, is_api_key))
    values = {
        "secret": secret if is_secret_kept else "",
        "is_api_key": is_api_key,
        "are_marks_read": are_marks_read and is_secret_kept,
        "error": "",
    }
    return _confirm(user, server, remote_user, values)


def _confirm(user: User, server: MusicServer, remote_user: str, values: dict[str, Any]) -> ServerAccount:
    """Link the account; what was linked there before goes, unless it is the same. Raise ``TakenError``."""
    key = username_key(remote_user)
    names = {"remote_user": remote_user, "confirmed_user": remote_user, "confirmed_key": key}
    rows = ServerAccount.objects.filter(user=user, server=server)
    try:
        with conflict_as_integrity_error(), transaction.atomic():
            rows.exclude(Q(remote_user=remote_user) | Q(confirmed_key=key)).delete()
            defaults = {**values, **names, "confirmed_at": timezone.now()}
            return ServerAccount.objects.update_or_create(user=user, server=server, defaults=defaults)[0]
    except IntegrityError as error:
        raise TakenError from error


def link_confirmed(*, user: User, server: MusicServer, remote_user: str) -> ServerAccount:
    """Link an account whose log-in the server accepted elsewhere; a stored log-in of the same one stays.

    Raise ``TakenError``.
    """
    return _confirm(user, server, remote_user, {})


def unlink_account(*, account: ServerAccount) -> None:
    """Forget an account; what it taught stays."""
    account.delete()


def client_of(account: ServerAccount) -> SubsonicClient:
    """Return a client that acts as the listener, who had the secret kept."""
    login = Login("" if account.is_api_key else account.remote_user, account.secret, account.is_api_key)
    return SubsonicClient(account.server.address, login, abilities_of(account.server))


def _judged_user(server: MusicServer, login: Login) -> str:
    """Return whose log-in it is, as the server says. Raise ``LinkError``."""
    client = SubsonicClient(server.address, login, abilities_of(server))
    try:
        client.call("ping")
        name = username_of(client, login.username)
    except SubsonicError as error:
        raise (WrongLoginError if error.code in _REFUSED else AwayError)(str(error)) from error
    if not 0 < len(name) <= USERNAME_LENGTH:
        raise AwayError("tokenInfo: the server does not say whose key it is")
    return name


def check_login(account: ServerAccount) -> None:
    """After a failure, ask whether the server still accepts the log-in. If not, note it and forget the secret.

    Trying on would lock the account at some servers.
    """
    try:
        client_of(account).call("ping")
    except SubsonicError as error:
        if error.code in _REFUSED:
            ServerAccount.objects.filter(pk=account.pk).update(error=str(error)[:1000], secret="")


def seal_again() -> tuple[int, int]:
    """Encrypt the stored secrets with the first key; return how many, and how many no key opens."""
    done = failed = 0
    for account in with_secret(ServerAccount.objects.all()):
        if account.secret:
            account.save(update_fields=["secret"])
            done += 1
        else:
            failed += 1
    return done, failed
