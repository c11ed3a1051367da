"""What the listener did: ratings, plays and stated preferences."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Artist, Genre, Track


class Source(models.TextChoices):
    """Where a row of feedback came from. Spotify's terms forbid fitting a shared model on what its API tells."""

    SITE = "site", _("this site")
    SPOTIFY = "spotify", _("Spotify")

    @classmethod
    def shareable(cls) -> list[str]:
        """Return the sources a model for all listeners may be fitted on."""
        return [cls.SITE]


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

    objects = models.Manager.from_queryset(PlayQuerySet)()

    class Meta:
        ordering: ClassVar[list[str]] = ["-played_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "token"], name="play_token_once"),
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
        ordering: ClassVar[list[str]] = ["artist__search_name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "artist"], name="artist_preference_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.artist}"
