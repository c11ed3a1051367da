"""A listener's imports from Spotify, and the playlists that the site saved to Spotify for them."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.spotify.errors import message_of
from feedback.playlists.models import Playlist
from jobs.models import Job

PARTS = {
    "top": _("Your top songs"),
    "saved": _("Your Liked Songs"),
    "followed": _("Artists you follow"),
    "recent": _("Recently played"),
}
# Delays after consecutive faults; after the last one the job is not retried automatically.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
# What stopped is continued within that time; later the lists at Spotify are read from their beginning.
_CONTINUED_FOR = timedelta(days=7)

# What stops it beside Spotify's own errors.
HERE_FULL = "full here"
THERE_FULL = "full there"
HISTORY_FULL = "history full"
_OWN_ERRORS = {
    HERE_FULL: _("A playlist here has room for no more songs."),
    HISTORY_FULL: _("Your listening history can have %(limit)d plays. The rest of your recent plays wasn't added."),
    THERE_FULL: _("Spotify accepts no more songs in this playlist."),
}


class Resumable(models.Model):
    """Work with Spotify that takes many calls, and goes on where a limit or a fault stopped it.

    ``error``: what stopped it last, as :func:`accounts.spotify.errors.note_of` writes it; while its job waits, it goes
    on by itself. ``stalls``: faults in a row since something last came or went.
    """

    error = models.CharField(max_length=500, blank=True, default="", db_default="")
    stalls = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)

    class Meta:
        abstract = True

    @property
    def error_message(self) -> str:
        """The reason why it stopped, as a sentence in the active language; empty if it did not stop."""
        if self.error not in _OWN_ERRORS:
            return message_of(self.error)
        return str(_OWN_ERRORS[self.error]) % {"limit": settings.LISTENER_MAX_PLAYS}

    @property
    def subject(self) -> str:
        """The subject of its jobs, so that two never run at the same time."""
        raise NotImplementedError

    def job(self) -> Job | None:
        """Return the latest job; one query."""
        return Job.objects.filter(subject=self.subject).first()

    def next_try(self) -> datetime | None:
        """Return when to try again after a fault; ``None`` where there were enough."""
        return timezone.now() + WAITS[self.stalls] if self.stalls < len(WAITS) else None


class SpotifyImport(Resumable):
    """The record of a listener's import from Spotify: requested with their consent, deleted as a whole.

    ``counts``: by part, ``total`` on Spotify, ``found`` (read so far), ``unreadable`` (not songs), ``matched`` with the
    catalogue, and ``added`` here. ``positions``: by part that was begun, where the next page begins; null if it was
    read to its end.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="spotify_import")
    parts = models.JSONField(default=list)
    counts = models.JSONField(default=dict, blank=True)
    positions = models.JSONField(default=dict, null=True, blank=True, editable=False)
    # Artists that were not among the listener's before, so that the import can be undone.
    artist_ids = models.JSONField(default=list, blank=True)
    consented_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "feedback_spotifybringing"
        verbose_name = _("Spotify import")
        verbose_name_plural = _("Spotify import")
        ordering: ClassVar[list[str]] = ["-consented_at"]

    def __str__(self) -> str:
        return f"{self.user}: {', '.join(self.parts)}"

    @property
    def subject(self) -> str:
        return f"spotify-bring:{self.user_id}"

    def is_read(self, part: str) -> bool:
        """Whether ``part`` was read to its end."""
        positions: dict[str, Any] = self.positions or {}
        return part in positions and positions[part] is None

    @property
    def is_complete(self) -> bool:
        """Whether all parts were read to their ends."""
        return self.finished_at is not None and not self.error

    @property
    def is_continuable(self) -> bool:
        """Whether another request resumes it."""
        return (
            bool(self.positions)
            and not all(self.is_read(part) for part in self.parts)
            and timezone.now() - self.consented_at < _CONTINUED_FOR
        )


class SpotifyPlaylistImport(Resumable):
    """A playlist of the listener's at Spotify that becomes likes or a playlist here, page by page.

    ``position``: where the next page begins; null where it was read to its end. ``total``: how many songs it has at
    Spotify, of which ``songs_read`` were read; of these, ``unreadable`` are no songs (local files, episodes), and
    ``matched`` are in the catalogue.
    """

    class Into(models.TextChoices):
        LIKES = "likes", _("likes")
        LIST = "list", _("a playlist")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="spotify_playlist_imports")
    spotify_id = models.CharField(max_length=64)
    name = models.CharField(max_length=100, blank=True)
    into = models.CharField(max_length=10, choices=Into)
    playlist = models.ForeignKey(Playlist, models.SET_NULL, null=True, blank=True, related_name="+")
    position = models.JSONField(null=True, blank=True, editable=False)
    total = models.PositiveIntegerField(default=0)
    songs_read = models.PositiveIntegerField(default=0)
    unreadable = models.PositiveIntegerField(default=0)
    matched = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    requested_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("imported Spotify playlist")
        verbose_name_plural = _("imported Spotify playlists")
        ordering: ClassVar[list[str]] = ["-requested_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "spotify_id", "into"], name="spotify_playlist_import_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.name}"

    @property
    def subject(self) -> str:
        return f"spotify-playlist:{self.pk}"

    @property
    def is_continuable(self) -> bool:
        """Whether another request resumes it."""
        return bool(self.position) and self.songs_read > 0 and timezone.now() - self.requested_at < _CONTINUED_FOR

    @property
    def is_complete(self) -> bool:
        """Whether it was read to its end."""
        return self.finished_at is not None and not self.error


class SpotifyPlaylist(Resumable):
    """A playlist that the site made in a listener's Spotify account, and brings up to date when they ask for it.

    ``song_count``: how many songs are in it by now. ``pending``: Spotify ids that are yet to go into it, in order; null
    or empty where all did.
    """

    class Kind(models.TextChoices):
        LIKES = "likes", _("your likes")
        FOR_YOU = "for_you", _("your recommendations")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="spotify_playlists")
    kind = models.CharField(max_length=10, choices=Kind)
    spotify_id = models.CharField(max_length=64)
    song_count = models.PositiveIntegerField(default=0)
    pending = models.JSONField(null=True, blank=True, editable=False)
    # Whether songs were sent without confirmation that they arrived.
    is_sending = models.BooleanField(default=False, db_default=False, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("playlist saved to Spotify")
        verbose_name_plural = _("playlists saved to Spotify")
        ordering: ClassVar[list[str]] = ["kind"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "kind"], name="spotify_playlist_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.kind}"

    @property
    def subject(self) -> str:
        return f"spotify-save:{self.pk}"

    @property
    def is_complete(self) -> bool:
        """Whether all songs are in it."""
        return not self.pending

    @property
    def wanted(self) -> int:
        """How many songs are to be in it."""
        return self.song_count + len(self.pending or [])
