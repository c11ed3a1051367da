"""Stated preferences: favourite genres and artists, blocks, adjustments and exclusions."""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.features import FEATURES
from catalog.models import Artist, Genre, Track

MAX_FACTOR = 4.0


def exactly_one(*columns: str) -> models.Q:
    """Return the condition that one of ``columns`` is filled and the others are empty."""
    condition = models.Q()
    for filled in columns:
        condition |= models.Q(**{f"{column}__isnull": column != filled for column in columns})
    return condition


class BlockQuerySet(models.QuerySet["Block"]):
    """Reads shared by pages and the engine's input."""

    def in_force(self) -> "BlockQuerySet":
        """Only blocks that have not ended."""
        return self.filter(models.Q(until__isnull=True) | models.Q(until__gt=timezone.now()))


class Block(models.Model):
    """A song, artist or genre that must not be recommended, permanently or until a time."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="blocks")
    track = models.ForeignKey(Track, models.CASCADE, related_name="blocks", null=True, blank=True)
    artist = models.ForeignKey(Artist, models.CASCADE, related_name="blocks", null=True, blank=True)
    genre = models.ForeignKey(Genre, models.CASCADE, related_name="blocks", null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True, help_text=_("Leave empty to block permanently."))
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = models.Manager.from_queryset(BlockQuerySet)()

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=exactly_one("track", "artist", "genre"), name="block_of_one_thing"),
            models.UniqueConstraint(fields=["user", "track"], name="block_track_once"),
            models.UniqueConstraint(fields=["user", "artist"], name="block_artist_once"),
            models.UniqueConstraint(fields=["user", "genre"], name="block_genre_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.target}"

    @property
    def target(self) -> Track | Artist | Genre:
        """What is blocked."""
        target = self.track or self.artist or self.genre
        assert target is not None  # by the constraint
        return target

    @property
    def kind(self) -> str:
        """What kind of thing is blocked: "track", "artist" or "genre"."""
        return str(self.target._meta.model_name)


class TasteAdjustment(models.Model):
    """The listener's adjustment of how much an artist, genre or audio feature counts. 1 would be as learned (then there
    is no row), 0 is not at all.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="taste_adjustments")
    artist = models.ForeignKey(Artist, models.CASCADE, related_name="taste_adjustments", null=True, blank=True)
    genre = models.ForeignKey(Genre, models.CASCADE, related_name="taste_adjustments", null=True, blank=True)
    # Null rather than "" if there is none, because a unique index allows many nulls.
    feature = models.CharField(  # noqa: DJ001
        max_length=30, null=True, blank=True, choices=[(spec.name, spec.label) for spec in FEATURES.values()]
    )
    factor = models.FloatField(validators=[MinValueValidator(0.0), MaxValueValidator(MAX_FACTOR)])
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("taste adjustment")
        verbose_name_plural = _("taste adjustments")
        ordering: ClassVar[list[str]] = ["-created_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=exactly_one("artist", "genre", "feature"), name="taste_adjustment_of_one_line"
            ),
            models.CheckConstraint(
                condition=models.Q(factor__gte=0.0, factor__lte=MAX_FACTOR), name="taste_adjustment_factor"
            ),
            models.UniqueConstraint(fields=["user", "artist"], name="taste_adjustment_artist_once"),
            models.UniqueConstraint(fields=["user", "genre"], name="taste_adjustment_genre_once"),
            models.UniqueConstraint(fields=["user", "feature"], name="taste_adjustment_feature_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.artist or self.genre or self.feature} x {self.factor:g}"


class TasteExclusion(models.Model):
    """Something excluded from the listener's taste: a song, an artist's songs, or a period."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="taste_exclusions")
    track = models.ForeignKey(Track, models.CASCADE, related_name="taste_exclusions", null=True, blank=True)
    artist = models.ForeignKey(Artist, models.CASCADE, related_name="taste_exclusions", null=True, blank=True)
    since = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    # Created by a private session, not by hand.
    is_private_session = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("exclusion from taste")
        verbose_name_plural = _("exclusions from taste")
        ordering: ClassVar[list[str]] = ["-created_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=exactly_one("track", "artist", "since"), name="taste_exclusion_of_one"),
            models.CheckConstraint(
                condition=models.Q(since__isnull=True, until__isnull=True)
                | models.Q(since__isnull=False, until__isnull=False, since__lt=models.F("until")),
                name="taste_exclusion_period",
            ),
            models.UniqueConstraint(fields=["user", "track"], name="taste_exclusion_track_once"),
            models.UniqueConstraint(fields=["user", "artist"], name="taste_exclusion_artist_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.track or self.artist or self.since}"


class GenrePreference(models.Model):
    """A genre the listener says they like."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="genre_preferences")
    genre = models.ForeignKey(Genre, models.CASCADE, related_name="preferences")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("chosen genre")
        verbose_name_plural = _("chosen genres")
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
        verbose_name = _("chosen artist")
        verbose_name_plural = _("chosen artists")
        ordering: ClassVar[list[str]] = ["artist__search_name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "artist"], name="artist_preference_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.artist}"
