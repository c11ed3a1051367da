"""Songs that the operator hides take no feedback."""

from catalog.models import Track


class HiddenTrackError(Exception):
    """The song was hidden by the operator, so nothing new is recorded about it."""


def refuse_hidden(track: Track) -> None:
    """Raise ``HiddenTrackError`` for a song that is not shown."""
    if not track.is_active:
        raise HiddenTrackError(f"song {track.pk} is hidden")
