"""Reads of the accounts at music servers."""

from django.db.models import IntegerField, Q, QuerySet
from django.db.models.functions import Length

from accounts.models import User
from catalog.models import MusicServer
from catalog.sources.subsonic.accounts import username_key
from feedback.music_servers.models import PushedPlaylist, ServerAccount
from feedback.playlists.models import Playlist


def listener_of(*, server: MusicServer, remote_user: str) -> User | None:
    """Return the active listener whose confirmed account at ``server`` is ``remote_user``, compared letter by letter.

    ``None`` if there is none.
    """
    rows = ServerAccount.objects.filter(server=server, confirmed_user=remote_user, user__is_active=True)
    account = rows.select_related("user").first()
    return account.user if account else None


def may_be_linked(*, server: MusicServer, username: str) -> bool:
    """Return whether an account at ``server`` is linked whose name differs from ``username`` in letter case at most."""
    same = Q(confirmed_user=username) | Q(confirmed_key=username_key(username))
    return ServerAccount.objects.filter(same, server=server, user__is_active=True).exists()


def accounts_of(user: User) -> QuerySet[ServerAccount]:
    """Return the listener's accounts with their servers."""
    return ServerAccount.objects.filter(user=user).select_related("server")


def usable_accounts() -> QuerySet[ServerAccount]:
    """Return the accounts with which the site may act by itself: of active listeners and servers, log-in stored."""
    rows = ServerAccount.objects.filter(server__is_active=True, user__is_active=True, confirmed_at__isnull=False)
    return with_secret(rows)


def with_secret(rows: QuerySet[ServerAccount]) -> QuerySet[ServerAccount]:
    """Return those of ``rows`` whose secret is stored: what is encrypted can be measured, not compared."""
    length = Length("secret", output_field=IntegerField())
    return rows.alias(secret_length=length).filter(secret_length__gt=0)


def linkable_servers() -> QuerySet[MusicServer]:
    """Return the servers at which listeners can have an account: connected and switched on, no folders."""
    return MusicServer.objects.filter(kind=MusicServer.Kind.SUBSONIC, is_active=True)


def push_choices(
    user: User, kind: str, playlist: Playlist | None = None
) -> list[tuple[ServerAccount, PushedPlaylist | None]]:
    """Return the listener's accounts whose log-in is stored, each with the list if it was put there; two queries."""
    accounts = list(usable_accounts().filter(user=user).select_related("server"))
    rows = PushedPlaylist.objects.filter(account__in=accounts, kind=kind, number=playlist.pk if playlist else 0)
    pushed = {row.account_id: row for row in rows} if accounts else {}
    return [(account, pushed.get(account.pk)) for account in accounts]


def pushed_of(user: User) -> QuerySet[PushedPlaylist]:
    """Return what the site put on music servers for the listener."""
    rows = PushedPlaylist.objects.filter(account__user=user)
    return rows.select_related("account__server", "playlist").order_by("account", "pk")
