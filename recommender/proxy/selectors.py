"""Reads of what is proxied."""

from collections.abc import Sequence
from functools import cached_property

from catalog.models import MusicServer, ServerSong


def proxied_server() -> MusicServer | None:
    """Return the server that players reach through this site; ``None`` if none is."""
    rows = MusicServer.objects.filter(is_proxied=True, is_active=True, kind=MusicServer.Kind.SUBSONIC)
    return rows.first()


class Library:
    """The songs that a server has now and the site shows; one query when it is first used."""

    def __init__(self, server: MusicServer) -> None:
        self.server = server

    @cached_property
    def remote_ids(self) -> dict[int, str]:
        """Return the server's id of each song, by ours."""
        rows = ServerSong.objects.filter(server=self.server, gone_at=None, track__is_active=True)
        return dict(rows.order_by("-pk").values_list("track_id", "remote_id"))

    def tracks_of(self, remote_ids: Sequence[str]) -> dict[str, int]:
        """Return our ids of some songs by the server's."""
        rows = ServerSong.objects.filter(server=self.server, gone_at=None, remote_id__in=remote_ids[:1000])
        return dict(rows.order_by().values_list("remote_id", "track_id"))
