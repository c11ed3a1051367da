"""Plays, and removed duplicates."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Track
from feedback.source import Source


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
    is_counted = models.BooleanField(default=True, help_text=_("Whether it counts towards the listener's taste."))
    # Sent by the page with each "Listen", so that a form that is sent twice records one play.
    token = models.UUIDField(null=True, blank=True)
    # Of what an imported play is in its file, so that a file imported twice adds nothing the second time.
    digest = models.BigIntegerField(null=True, blank=True, editable=False)
    # The kind of file it came from, "" for others: plays of one listing are never one listen.
    listing = models.CharField(max_length=20, blank=True, default="", db_default="", editable=False)
    history_import = models.ForeignKey(
        "feedback.HistoryImport", models.CASCADE, null=True, blank=True, related_name="plays", editable=False
    )

    objects = models.Manager.from_queryset(PlayQuerySet)()

    class Meta:
        verbose_name = _("play")
        verbose_name_plural = _("plays")
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

    @property
    def told_by(self) -> str:
        """Return the source, with the name of the file where it was one."""
        if self.history_import is not None:
            return str(self.history_import.name)
        return str(self.get_source_display())


class RemovedDouble(models.Model):
    """A play that was removed from the history as a duplicate; it can be restored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="removed_doubles")
    counterpart = models.ForeignKey(
        Play, models.SET_NULL, null=True, related_name="removed_doubles", db_column="kept_id", db_constraint=False
    )
    track = models.ForeignKey(Track, models.CASCADE, related_name="removed_doubles")
    played_at = models.DateTimeField()
    ms_played = models.PositiveIntegerField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Play.Outcome)
    source = models.CharField(max_length=10, choices=Source)
    is_counted = models.BooleanField(default=True)
    token = models.UUIDField(null=True, blank=True)
    digest = models.BigIntegerField(null=True, blank=True, editable=False)
    listing = models.CharField(max_length=20, blank=True, default="", editable=False)
    history_import = models.ForeignKey(
        "feedback.HistoryImport", models.CASCADE, null=True, blank=True, related_name="removed_doubles", editable=False
    )
    removed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("removed duplicate")
        verbose_name_plural = _("removed duplicates")
        ordering: ClassVar[list[str]] = ["-removed_at", "-id"]

    def __str__(self) -> str:
        return f"{self.user} played {self.track}"
