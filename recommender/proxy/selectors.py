"""Reads of what is proxied."""

from catalog.models import MusicServer


def proxied_server() -> MusicServer | None:
    """Return the server that players reach through this site; ``None`` if none is."""
    rows = MusicServer.objects.filter(is_proxied=True, is_active=True, kind=MusicServer.Kind.SUBSONIC)
    return rows.first()
