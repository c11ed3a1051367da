"""The record of background jobs: what was requested, its progress and its result."""

from datetime import timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.registry import label_of


class JobQuerySet(models.QuerySet["Job"]):
    """Reads shared by the services."""

    def active(self) -> Self:
        """Only jobs that wait or run."""
        return self.filter(state__in=[Job.State.WAITING, Job.State.RUNNING])

    def due(self) -> Self:
        """Only jobs that a worker could begin now."""
        return self.filter(Q(run_after=None) | Q(run_after__lte=timezone.now()), state=Job.State.WAITING)

    def abandoned(self) -> Self:
        """Only jobs whose worker has sent no heartbeat for ``JOB_STALE_SECONDS``."""
        cutoff = timezone.now() - timedelta(seconds=settings.JOB_STALE_SECONDS)
        return self.filter(state=Job.State.RUNNING, heartbeat_at__lt=cutoff)


class Job(models.Model):
    """One job, from the moment it was requested; the queue itself is the task library's table."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        STOPPED = "stopped", _("stopped")

    kind = models.CharField(_("type"), max_length=50)
    arguments = models.JSONField(_("arguments"), default=dict, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="jobs",
        verbose_name=_("requested by"),
    )
    # What it works on ("history-import:7"). While it waits or runs it holds that name alone, in ``active_subject``.
    subject = models.CharField(_("topic"), max_length=100, blank=True, db_index=True)
    active_subject = models.CharField(max_length=100, unique=True, null=True, blank=True, editable=False)
    state = models.CharField(_("status"), max_length=10, choices=State, default=State.WAITING)
    # The row of the library's queue that may run it; a row that was superseded finds another id here and does nothing.
    task_id = models.UUIDField(null=True, editable=False)
    worker = models.CharField(_("worker"), max_length=64, blank=True)
    attempt = models.PositiveIntegerField(_("attempts"), default=0)
    step = models.CharField(_("step"), max_length=200, blank=True)
    share = models.FloatField(_("progress"), default=0.0)
    log = models.TextField(_("log"), blank=True)
    is_stop_wanted = models.BooleanField(_("stop requested"), default=False)
    run_after = models.DateTimeField(_("scheduled for"), null=True, blank=True)
    created_at = models.DateTimeField(_("requested"), default=timezone.now, editable=False)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    heartbeat_at = models.DateTimeField(_("last heartbeat"), null=True, blank=True, db_column="beat_at")
    finished_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = models.Manager.from_queryset(JobQuerySet)()

    class Meta:
        verbose_name = _("background job")
        verbose_name_plural = _("background jobs")
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["state", "heartbeat_at"], name="job_by_state")]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(share__gte=0.0, share__lte=1.0), name="job_share_0_to_1"),
            models.CheckConstraint(
                condition=Q(active_subject=None) | Q(active_subject=F("subject")),
                name="job_active_subject_is_subject",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} {self.pk}"

    @property
    def label(self) -> str:
        """The label of the job's kind."""
        return label_of(self.kind)

    @property
    def percent(self) -> int:
        """Progress in percent, 0 to 100."""
        return int(100 * self.share)

    @property
    def is_active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in (self.State.WAITING, self.State.RUNNING)

    @property
    def seconds(self) -> float | None:
        """How long it ran, or has run so far; ``None`` before it starts."""
        if self.started_at is None:
            return None
        return ((self.finished_at or timezone.now()) - self.started_at).total_seconds()
