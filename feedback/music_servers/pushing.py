"""Puts lists on a music server, and renews them in place.

What calls the server is not atomic: no transaction waits for another host.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from itertools import count

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
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

    ``is_renewed``: from then on it is renewed by schedule. What was put there before is taken up.
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
def stop_renewing(*, pushed: PushedPlaylist) -> None:
    """Renew a list no more; it stays on the server as it is. Its id stays here, so that it can be taken up again."""
    _note(pushed, is_renewed=False)


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
    if not _is_name_of(pushed.title, pushed.name):
        _rename(client, pushed)
    return True


def _rename(client: SubsonicClient, pushed: PushedPlaylist) -> None:
    """Give the list there the name that it has here by now. Raise ``SubsonicError``."""
    before, taken = pushed.name, {each.name for each in remote.own_playlists(client, pushed.account.remote_user)}
    _claim_name(pushed, lambda name: name not in taken)
    try:
        remote.rename_playlist(client, pushed.remote_id, pushed.name)
    except SubsonicError:
        _note(pushed, name=before)
        raise


def _create(client: SubsonicClient, pushed: PushedPlaylist, ids: list[str]) -> None:
    """Create the list, or take the one that an earlier attempt or an earlier link has left there."""
    username = pushed.account.remote_user
    by_name = {each.name: each.remote_id for each in remote.own_playlists(client, username)}
    others = set(_others(pushed).exclude(remote_id="").values_list("remote_id", flat=True))
    # The name is written before the list is created: a list of that name is then ours.
    if pushed.name not in by_name or by_name[pushed.name] in others:
        # With the site's name added it is the site's own, so it is taken; without, it is the listener's.
        _claim_name(pushed, lambda name: name not in by_name or (name != pushed.title and by_name[name] not in others))
    if pushed.name in by_name:
        remote.replace_playlist(client, by_name[pushed.name], ids)
        _note(pushed, remote_id=by_name[pushed.name])
        return
    _note(pushed, remote_id=remote.create_playlist(client, username, pushed.name, ids))


@transaction.atomic
def _claim_name(pushed: PushedPlaylist, is_free: Callable[[str], bool]) -> None:
    """Note the first name of the list that is free there, and that no other list of the account has claimed."""
    # Two lists of one name would else claim it at the same time.
    ServerAccount.objects.select_for_update().get(pk=pushed.account_id)
    claimed = set(_others(pushed).values_list("name", flat=True))
    _note(pushed, name=next(name for name in _names(pushed.title) if name not in claimed and is_free(name)))


def _others(pushed: PushedPlaylist) -> QuerySet[PushedPlaylist]:
    return PushedPlaylist.objects.filter(account=pushed.account_id).exclude(pk=pushed.pk)


def _names(title: str) -> Iterator[str]:
    """Yield the list's name here; then with the site's name added, and a number."""
    yield title
    yield f"{title} ({settings.SITE_NAME})"
    yield from (f"{title} ({settings.SITE_NAME} {number})" for number in count(2))


def _is_name_of(title: str, name: str) -> bool:
    return re.fullmatch(rf"{re.escape(title)}( \({re.escape(settings.SITE_NAME)}( \d+)?\))?", name) is not None


def _note(pushed: PushedPlaylist, **values: object) -> None:
    for name, value in values.items():
        setattr(pushed, name, value)
    PushedPlaylist.objects.filter(pk=pushed.pk).update(**values)
