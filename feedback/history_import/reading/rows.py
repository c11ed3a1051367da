"""The common form of all formats: plays, or the reason for skipping a record."""

from typing import Any, NamedTuple

from django.utils.translation import gettext_noop

from feedback.plays.models import Play

STARTED, COMPLETED, SKIPPED = (outcome.value for outcome in Play.Outcome)
# Reasons for skipping a record. They are shown and translated, so they are few and fixed.
NO_SONG = gettext_noop("has no song")
NO_TIME = gettext_noop("has no valid date or time")
NO_LENGTH = gettext_noop("doesn't say how long it was played")
NOT_A_SONG = gettext_noop("is a podcast, an audiobook or a video")
NOT_HEARD = gettext_noop("was played for less than a second")
PLAYING_NOW = gettext_noop("was still playing when exported")
ANOTHER_WIDTH = gettext_noop("has more or fewer cells than the header row")
NOT_A_PLAY = gettext_noop("isn't a play but another event")
# Reasons that are not the record's fault.
NO_ROOM = gettext_noop("no longer fits in your history")
# A listing with times to the minute counts as another listing of the same service.
MINUTES = "-min"
# Listens that ListenBrainz read from Spotify: of the start or of the end.
LISTENBRAINZ_SPOTIFY = "listenbrainz-spotify"


class PlayRow(NamedTuple):
    """One play of a history.

    ``at``: whole seconds since 1970, of the start or, where ``is_end``, the end of the play. ``key``: with the name
    of the ``listing`` it tells this play from all others. ``spotify_id``, ``isrc``, ``uri``, ``mbid`` (of the recording
    at MusicBrainz): "" where unknown; ``title``: "" where only the id names the song; ``artists``: at least one, none
    empty, but for such songs.
    """

    at: int
    key: str
    spotify_id: str
    isrc: str
    title: str
    artists: tuple[str, ...]
    album: str
    uri: str
    ms_played: int | None
    outcome: str
    is_counted: bool
    listing: str = ""
    is_end: bool = False
    mbid: str = ""


Record = dict[str, Any]
Row = PlayRow | str
