"""Imports of listening histories, and the songs in them that the catalogue lacks."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.core.files.storage import FileSystemStorage, Storage
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from jobs.models import Job

UPLOAD_PREFIX = "history-"


class UploadStorage(FileSystemStorage):
    """A folder that is never served, looked up on each access."""

    @property
    def base_location(self) -> str:
        return str(settings.VAR_DIR / "uploads")

    @property
    def location(self) -> str:
        return self.base_location


def upload_storage() -> Storage:
    """Return where uploads wait for their import."""
    return UploadStorage(base_url=None)


def upload_name(_instance: models.Model, _filename: str) -> str:
    """Return a random name, so that the listener's file name is not stored."""
    return f"{UPLOAD_PREFIX}{uuid4().hex}"


class HistoryImport(models.Model):
    """One uploaded history. The counts and ``position`` are written with the plays they count, so they always agree."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="history_imports")
    name = models.CharField(max_length=255)
    # Deleted as soon as it is no longer needed.
    file = models.FileField(upload_to=upload_name, storage=upload_storage, blank=True, max_length=100)
    size = models.PositiveBigIntegerField(default=0)
    format = models.CharField(max_length=100, blank=True)
    wants_own_songs = models.BooleanField(_("include songs that aren't in the catalogue"), default=True)
    position = models.PositiveBigIntegerField(default=0, help_text=_("Records processed so far."))
    plays_added = models.PositiveBigIntegerField(default=0)
    plays_known = models.PositiveBigIntegerField(default=0)
    # Of these, plays recorded by another source.
    plays_known_elsewhere = models.PositiveBigIntegerField(default=0, db_default=0)
    plays_unmatched = models.PositiveBigIntegerField(default=0)
    plays_skipped = models.PositiveBigIntegerField(default=0)
    songs_created = models.PositiveBigIntegerField(default=0)
    # Number of skipped records by reason.
    skipped = models.JSONField(default=dict, blank=True)
    # Notes on how the file was read: pairs of a kind of note and a file name.
    notes = models.JSONField(null=True, blank=True)
    # Which file has times whose day and month cannot be told apart, with examples; null where none has.
    question = models.JSONField(null=True, blank=True)
    # The listener's answers by file name.
    date_orders = models.JSONField(null=True, blank=True)
    # In English, with placeholders: the page translates and fills it in the reader's language.
    error = models.CharField(max_length=500, blank=True)
    error_values = models.JSONField(default=dict, null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("listening history import")
        verbose_name_plural = _("listening history imports")
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.user})"

    @property
    def error_text(self) -> str:
        """Return why it failed, in the language that is active; "" if it did not."""
        if not self.error_values:
            # Errors of earlier releases have no values and no full stop.
            return self.error and f"{self.error.removesuffix('.')}."
        values = dict(self.error_values)
        if reason := values.get("reason"):
            values["reason"] = gettext(reason)
        return str(gettext(self.error) % values)

    @property
    def subject(self) -> str:
        """The subject of its jobs, shared so that import and undo never run at the same time."""
        return f"history-import:{self.pk}"

    # The latest job as it was when the list was read.
    listed_job: Job | None

    def job(self) -> Job | None:
        """Return the latest job; one query, unless a list has asked for all."""
        if hasattr(self, "listed_job"):
            return self.listed_job
        return Job.objects.filter(subject=self.subject).first()


def attach_jobs(imports: Sequence[HistoryImport]) -> None:
    """Give each of a list its latest job, so that none asks for its own; one query."""
    jobs = Job.objects.filter(subject__in=[history.subject for history in imports]).order_by("pk")
    latest = {job.subject: job for job in jobs}
    for history in imports:
        history.listed_job = latest.get(history.subject)


class UnmatchedSong(models.Model):
    """A song of a history that the catalogue lacks and that does not count."""

    history_import = models.ForeignKey(HistoryImport, models.CASCADE, related_name="unmatched")
    # Of title and first artist, so that it is found again without comparing long texts.
    digest = models.BigIntegerField()
    title = models.CharField(max_length=500)
    artist = models.CharField(max_length=300)
    album = models.CharField(max_length=500, blank=True)
    uri = models.CharField(max_length=200, blank=True)
    plays = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("song not in the catalogue")
        verbose_name_plural = _("songs not in the catalogue")
        ordering: ClassVar[list[str]] = ["-plays", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["history_import", "digest"], name="unmatched_song_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["history_import", "-plays", "id"], name="unmatched_by_plays"),
        ]

    def __str__(self) -> str:
        return f"{self.title} - {self.artist}"
