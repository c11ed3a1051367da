"""What the listener did: ratings, plays, stated preferences and playlists."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Artist, Genre, Track
from feedback.history_models import HistoryImport, UnmatchedSong  # noqa: F401  (known to Django)
from feedback.queue_models import PlayQueue, QueueItem  # noqa: F401  (known to Django)
from feedback.spotify_models import SpotifyBringing, SpotifyPlaylist  # noqa: F401  (known to Django)
from feedback.steering_models import Block, TasteAdjustment, TasteExclusion  # noqa: F401  (known to Django)


class Source(models.TextChoices):
    """Where a row of feedback came from. Spotify's terms forbid fitting a shared model on what its API tells."""

    SITE = "site", _("this site")
    SPOTIFY = "spotify", _("Spotify")
    HISTORY = "history", _("the listener's own history")

    @classmethod
    def shareable(cls) -> list[str]:
        """Return the sources a model for all listeners may be fitted on.

        A history that a listener exported is their own data, handed to them by law and brought here by themselves: it
        did not come through Spotify's API, whose terms therefore do not reach it, whichever service it is from.
        """
        return [cls.SITE, cls.HISTORY]


class Rating(models.Model):
    """A like or a dislike: one row per listener and song."""

    class Value(models.IntegerChoices):
        DISLIKE = -1, _("I don't like")
        LIKE = 1, _("I like")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="ratings")
    track = models.ForeignKey(Track, models.CASCADE, related_name="ratings")
    value = models.SmallIntegerField(choices=Value)
    source = models.CharField(max_length=10, choices=Source, default=Source.SITE)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("like or dislike")
        verbose_name_plural = _("likes and dislikes")
        ordering: ClassVar[list[str]] = ["-updated_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "track"], name="rating_once"),
            models.CheckConstraint(condition=models.Q(value__in=[-1, 1]), name="rating_like_or_dislike"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "value", "-updated_at"], name="rating_by_listener"),
            # Lets `retrain --if-needed` see in one look whether anything is new.
            models.Index(fields=["updated_at"], name="rating_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.get_value_display()}: {self.track}"


class PlayQuerySet(models.QuerySet["Play"]):
    """Reads shared by pages and the engine's input."""

    def counted(self) -> Self:
        """Only plays that count in the listener's taste."""
        return self.filter(is_counted=True)


class Play(models.Model):
    """A song that was listened to."""

    class Outcome(models.TextChoices):
        STARTED = "started", _("started")
        COMPLETED = "completed", _("completed")
        SKIPPED = "skipped", _("skipped")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="plays")
    track = models.ForeignKey(Track, models.CASCADE, related_name="plays")
    played_at = models.DateTimeField(default=timezone.now)
    ms_played = models.PositiveIntegerField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.STARTED)
    source = models.CharField(max_length=10, choices=Source, default=Source.SITE)
    is_counted = models.BooleanField(default=True, help_text=_("Does it count in the listener's taste?"))
    # Sent by the page with each "Listen", so that a form sent twice records one play.
    token = models.UUIDField(null=True, blank=True)
    # Of what an imported play is in its file, so that a file imported twice adds nothing the second time.
    digest = models.BigIntegerField(null=True, blank=True, editable=False)
    history_import = models.ForeignKey(
        "feedback.HistoryImport", models.CASCADE, null=True, blank=True, related_name="plays", editable=False
    )

    objects = models.Manager.from_queryset(PlayQuerySet)()

    class Meta:
        ordering: ClassVar[list[str]] = ["-played_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "token"], name="play_token_once"),
            models.UniqueConstraint(fields=["user", "digest"], name="play_digest_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "-played_at"], name="play_by_listener"),
            models.Index(fields=["played_at"], name="play_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.user} played {self.track}"


class GenrePreference(models.Model):
    """A genre the listener says they like."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="genre_preferences")
    genre = models.ForeignKey(Genre, models.CASCADE, related_name="preferences")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("genre picked")
        verbose_name_plural = _("genres picked")
        ordering: ClassVar[list[str]] = ["genre__name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "genre"], name="genre_preference_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.genre}"


class ArtistPreference(models.Model):
    """An artist the listener says they like."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="artist_preferences")
    artist = models.ForeignKey(Artist, models.CASCADE, related_name="preferences")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("artist picked")
        verbose_name_plural = _("artists picked")
        ordering: ClassVar[list[str]] = ["artist__search_name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "artist"], name="artist_preference_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.artist}"


class Playlist(models.Model):
    """Songs that a listener put in an order; seen by nobody else."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="playlists")
    name = models.CharField(_("name"), max_length=100)
    tracks: "models.ManyToManyField[Track, PlaylistItem]" = models.ManyToManyField(
        Track, through="PlaylistItem", related_name="playlists"
    )
    source = models.CharField(max_length=10, choices=Source, default=Source.SITE)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["-updated_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=~models.Q(name=""), name="playlist_name_not_empty"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["owner", "-updated_at"], name="playlist_by_owner"),
        ]

    def __str__(self) -> str:
        return str(self.name)

    def get_absolute_url(self) -> str:
        """Return the playlist's page."""
        return reverse("feedback:playlist", args=[self.pk])


class PlaylistItem(models.Model):
    """A song at its place in a playlist. Places count up; a removed song may leave a gap."""

    playlist = models.ForeignKey(Playlist, models.CASCADE, related_name="items")
    track = models.ForeignKey(Track, models.CASCADE, related_name="playlist_items")
    position = models.PositiveIntegerField()
    added_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("song in a playlist")
        verbose_name_plural = _("songs in playlists")
        ordering: ClassVar[list[str]] = ["playlist", "position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["playlist", "position"], name="playlist_position_once"),
            models.UniqueConstraint(fields=["playlist", "track"], name="playlist_track_once"),
        ]

    def __str__(self) -> str:
        return f"{self.playlist} {self.position}: {self.track}"
