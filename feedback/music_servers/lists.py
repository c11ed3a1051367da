"""What can be put on a music server: a listener's playlists, and lists that other apps register."""

from collections.abc import Callable, Iterable, Sequence

from accounts.models import User
from catalog.importing.writing.writer import batches
from catalog.models import MusicServer, ServerSong
from feedback.music_servers.models import PushedPlaylist
from feedback.playlists.selectors import tracks_of

ListSource = Callable[[User, MusicServer], Sequence[int]]
"""Returns the ids of the songs of a listener's list, in order; it may take only songs that the server has."""
_sources: dict[str, ListSource] = {}


def register_list(kind: PushedPlaylist.Kind, source: ListSource) -> None:
    """Say where the songs of lists of that kind come from."""
    _sources[kind.value] = source


def track_ids_of(pushed: PushedPlaylist) -> list[int]:
    """Return the ids of the songs that are to be on the server, in order."""
    account = pushed.account
    if pushed.playlist is not None:
        return list(tracks_of(pushed.playlist).values_list("pk", flat=True))
    return list(_sources[pushed.kind](account.user, account.server))


def remote_ids_of(server: MusicServer, track_ids: Iterable[int]) -> list[str]:
    """Return the server's ids of those of the songs that it has now, in their order."""
    wanted = list(track_ids)
    known: dict[int, str] = {}
    for batch in batches(wanted):
        rows = ServerSong.objects.filter(server=server, track__in=batch, gone_at=None).order_by("-pk")
        # Of several files of a song, the first that was read.
        known.update(rows.values_list("track_id", "remote_id"))
    return [known[pk] for pk in wanted if pk in known]
