"""Puts lists on a music server, and renews them in place.

What calls the server is not atomic: no transaction waits for another host.
"""

import hashlib
from collections.abc import Container

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalog.sources.subsonic import playlists as remote
from catalog.sources.subsonic.client import SubsonicClient, SubsonicError
from feedback.music_servers.lists import remote_ids_of, track_ids_of
from feedback.music_servers.models import PushedPlaylist, ServerAccount
from feedback.music_servers.services import check_login, client_of
from feedback.playlists.models import Playlist
from jobs.services import enqueue

PUSH = "push-playlist"


class NothingToPushError(Exception):
    """No song of the list is on the server."""


@transaction.atomic
def request_push(
    *, account: ServerAccount, kind: str, playlist: Playlist | None = None, is_renewed: bool = False
) -> PushedPlaylist:
    """Ask for a list to be put on the server in the background, or renewed.

    ``is_renewed``: from then on it is renewed by schedule.
    """
    pushed, _is_new = PushedPlaylist.objects.update_or_create(
        account=account,
        kind=PushedPlaylist.Kind(kind),
        number=playlist.pk if playlist else 0,
        defaults={"playlist": playlist, "label": str(PushedPlaylist.Kind(kind).label), "is_renewed": is_renewed},
    )
    enqueue(kind=PUSH, user_id=account.user_id, subject=pushed.subject)
    return pushed


@transaction.atomic
def forget_pushed(*, pushed: PushedPlaylist) -> None:
    """Renew a list no more; it stays on the server as it is."""
    pushed.delete()


def push(pushed: PushedPlaylist, *, is_forced: bool = True) -> bool:
    """Put the list's songs on the server in the place of those it has there; return whether anything was sent.

    Without ``is_forced`` a list that has not changed is left alone. What fails is noted and raised: ``SubsonicError``,
    and ``NothingToPushError``.
    """
    try:
        return _push(pushed, is_forced)
    except NothingToPushError:
        _note(pushed, error="nothing")
        raise
    except SubsonicError as error:
        _note(pushed, error=str(error)[:1000])
        check_login(pushed.account)
        raise


def _push(pushed: PushedPlaylist, is_forced: bool) -> bool:
    wanted = track_ids_of(pushed)
    ids = remote_ids_of(pushed.account.server, wanted)
    counts = {"song_count": len(ids), "wanted_count": len(wanted)}
    if not ids:
        _note(pushed, **counts)
        raise NothingToPushError
    digest = hashlib.blake2b("\n".join([pushed.title, *ids]).encode(), digest_size=16).hexdigest()
    if not is_forced and pushed.remote_id and digest == pushed.digest and not pushed.error:
        return False
    client = client_of(pushed.account)
    if not pushed.remote_id or not _replace(client, pushed, ids):
        _create(client, pushed, ids)
    _note(pushed, **counts, digest=digest, pushed_at=timezone.now(), error="")
    return True


def _replace(client: SubsonicClient, pushed: PushedPlaylist, ids: list[str]) -> bool:
    """Replace the songs of the list; return whether it is still there, or raise ``SubsonicError``."""
    try:
        remote.replace_playlist(client, pushed.remote_id, ids)
    except SubsonicError as error:
        # Codes differ (70, 0, 50), so the server is asked. An error of another cause must not make a second list.
        lists = remote.own_playlists(client, pushed.account.remote_user) if error.is_refusal else None
        if lists is None or any(each.remote_id == pushed.remote_id for each in lists):
            raise
        _note(pushed, remote_id="", name="")
        return False
    if pushed.name not in _names(pushed.title):
        lists = remote.own_playlists(client, pushed.account.remote_user)
        name = _free_name(pushed.title, {each.name for each in lists})
        remote.rename_playlist(client, pushed.remote_id, name)
        _note(pushed, name=name)
    return True


def _create(client: SubsonicClient, pushed: PushedPlaylist, ids: list[str]) -> None:
    """Create the list, or take the one that an earlier attempt or an earlier link has left there."""
    username = pushed.account.remote_user
    by_name = {each.name: each.remote_id for each in remote.own_playlists(client, username)}
    # The name is written before the list is created: a list of that name is then ours.
    name = pushed.name if pushed.name in by_name else _free_name(pushed.title, by_name)
    if name in by_name:
        remote.replace_playlist(client, by_name[name], ids)
        _note(pushed, remote_id=by_name[name], name=name)
        return
    _note(pushed, name=name)
    _note(pushed, remote_id=remote.create_playlist(client, username, name, ids))


def _free_name(title: str, taken: Container[str]) -> str:
    """Return the list's name here or, where the listener has a list of that name there, with the site's name added.

    A list with the site's name added is the site's own, so it is taken if it is there.
    """
    plain, marked = _names(title)
    return marked if plain in taken else plain


def _names(title: str) -> tuple[str, str]:
    return title, f"{title} ({settings.SITE_NAME})"


def _note(pushed: PushedPlaylist, **values: object) -> None:
    for name, value in values.items():
        setattr(pushed, name, value)
    PushedPlaylist.objects.filter(pk=pushed.pk).update(**values)
