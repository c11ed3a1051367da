"""The listener's playlists of this site, among those of the server."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import ServerSong, Track
from catalog.sources.subsonic.parsing import rows_of
from feedback.music_servers.models import PushedPlaylist
from feedback.playlists.models import Playlist, PlaylistItem
from feedback.playlists.selectors import playlists_of, tracks_of
from recommender.proxy.logins import Session
from recommender.proxy.mixes import recommended
from recommender.proxy.songs import bodies

FOR_YOU = "earworm-for-you"
FOR_YOU_SIZE = 50
# Songs are fetched one by one.
MOST_SONGS = 500
_MOST_LISTS = 200
_OWN = re.compile(r"earworm-(\d{1,18})")


def is_ours(remote_id: str) -> bool:
    """Return whether a playlist is one of this site."""
    return remote_id == FOR_YOU or _OWN.fullmatch(remote_id) is not None


def playlists_with_ours(session: Session) -> dict[str, Any]:
    """Return the server's playlists and ours. Raise ``SubsonicError``.

    What the site has put on the server itself is there already.
    """
    parameters = {"username": name} if (name := session.call.value("username")) else {}
    listed = session.client.call("getPlaylists", parameters).get("playlists")
    rows = rows_of(listed.get("playlist")) if isinstance(listed, dict) else []
    is_own = not parameters or parameters["username"] == session.call.credentials.get("u")
    return {"playlists": {"playlist": [*rows, *(_ours(session) if is_own else [])]}}


def empty_playlist(session: Session, name: str) -> dict[str, Any]:
    """Return a playlist that is nowhere, for a player that expects one."""
    now = timezone.now()
    return {**_head(session, "earworm-none", name, now, now), "songCount": 0, "duration": 0, "entry": []}


def playlist_of(session: Session, remote_id: str) -> dict[str, Any] | None:
    """Return a playlist of this site with its songs; ``None`` where the listener has no such one."""
    library = session.library
    if remote_id == FOR_YOU:
        ids = recommended(session.user, library, FOR_YOU_SIZE)
        head = _head(session, FOR_YOU, _("For you"), timezone.now(), timezone.now())
    else:
        match = _OWN.fullmatch(remote_id)
        playlist = Playlist.objects.filter(owner=session.user, pk=int(match[1])).first() if match else None
        if playlist is None:
            return None
        own = tracks_of(playlist).values_list("pk", flat=True)
        ids = [pk for pk in own if pk in library.remote_ids][:MOST_SONGS]
        head = _head(session, remote_id, playlist.name, playlist.created_at, playlist.updated_at)
    songs = list(bodies(session, ids or []).values())
    return {"playlist": {**head, **_sums(songs), "entry": songs}}


def _ours(session: Session) -> list[dict[str, Any]]:
    pushed = PushedPlaylist.objects.filter(account__user=session.user, account__server=session.server)
    there = pushed.exclude(remote_id="")
    rows = [] if there.filter(kind=PushedPlaylist.Kind.FOR_YOU).exists() else [_for_you(session)]
    own = playlists_of(session.user).exclude(pk__in=there.filter(playlist__isnull=False).values("playlist"))
    shown = list(own[:_MOST_LISTS])
    counts = _counts(session, shown)
    for playlist in shown:
        head = _head(session, f"earworm-{playlist.pk}", playlist.name, playlist.created_at, playlist.updated_at)
        songs, seconds = counts.get(playlist.pk, (0, 0))
        rows.append({**head, "songCount": songs, "duration": seconds})
    return rows


def _for_you(session: Session) -> dict[str, Any]:
    """Return For you as lists show it, with the songs that it has when it is opened."""
    now = timezone.now()
    ids = recommended(session.user, session.library, FOR_YOU_SIZE) or []
    ms = Track.objects.filter(pk__in=ids).aggregate(ms=Sum("duration_ms"))["ms"]
    head = _head(session, FOR_YOU, _("For you"), now, now)
    return {**head, "songCount": len(ids), "duration": int(ms or 0) // 1000}


def _counts(session: Session, playlists: list[Playlist]) -> dict[int, tuple[int, int]]:
    """Return how many songs of each playlist the server has, and their seconds; one query."""
    there = ServerSong.objects.filter(track=OuterRef("track"), server=session.server, gone_at=None)
    items = PlaylistItem.objects.filter(Exists(there), playlist__in=playlists, track__is_active=True)
    sums = items.order_by().values("playlist").annotate(songs=Count("pk"), ms=Sum("track__duration_ms"))
    return {row["playlist"]: (row["songs"], int(row["ms"] or 0) // 1000) for row in sums}


def _head(session: Session, remote_id: str, name: str, created: datetime, changed: datetime) -> dict[str, Any]:
    owner = session.call.credentials.get("u") or session.user.username
    dates = {"created": _stamp(created), "changed": _stamp(changed)}
    return {"id": remote_id, "name": name, "comment": "Earworm", "owner": owner, "public": False, **dates}


def _sums(songs: Iterable[dict[str, Any]]) -> dict[str, int]:
    rows = list(songs)
    lengths = [row.get("duration") for row in rows]
    return {"songCount": len(rows), "duration": sum(int(each) for each in lengths if isinstance(each, int | float))}


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
