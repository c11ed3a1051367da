"""Model versions, and the record of recommendations."""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models import Track


class ModelVersion(models.Model):
    """One fitted model: what it was fitted on, how good it measured, where its file is."""

    class State(models.TextChoices):
        CANDIDATE = "candidate", _("candidate")
        ACTIVE = "active", pgettext_lazy("model version", "active")
        RETIRED = "retired", _("replaced")

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    activated_at = models.DateTimeField(null=True, blank=True, editable=False)
    # One more than that of the version activated before. Times say nothing of the order: a clock may have been wrong.
    activation = models.PositiveBigIntegerField(null=True, unique=True, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.CANDIDATE)
    # True on the active version, empty on all others: a unique column that holds one "true" at most, which a
    # conditional constraint would say as well, but MariaDB has none.
    active_slot = models.BooleanField(null=True, unique=True, editable=False)
    directory = models.CharField(_("file"), max_length=100, unique=True)
    # A digest of what the fit read, by which `retrain --if-needed` sees that nothing changed.
    fingerprint = models.CharField(max_length=64)
    fitted_on = models.JSONField(default=dict, help_text=_("Counts of the data the model was trained on."))
    metrics = models.JSONField(default=dict, help_text=_("Quality measured on listeners the model didn't see."))
    timings = models.JSONField(default=dict, help_text=_("Seconds per step."))

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(state="active", active_slot=True)
                | (~models.Q(state="active") & models.Q(active_slot__isnull=True)),
                name="model_active_slot_matches_state",
            ),
        ]

    def __str__(self) -> str:
        return f"model {self.pk}"


class Recommendation(models.Model):
    """A song that was shown to a listener, and the arithmetic behind it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="recommendations")
    track = models.ForeignKey(Track, models.CASCADE, related_name="recommendations")
    model_version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="recommendations")
    # Songs shown on one page share it.
    page = models.UUIDField(db_index=True)
    position = models.PositiveSmallIntegerField(help_text=_("0 is the first song on the page."))
    score = models.FloatField()
    policy = models.CharField(max_length=30)
    propensity = models.FloatField(
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_("Probability that the policy would show this song."),
    )
    reason = models.JSONField(default=dict, help_text=_("The parts of the score and their causes."))
    is_shown = models.BooleanField(default=True)
    section = models.CharField(max_length=10, blank=True, help_text=_("The section of the page it was shown in."))
    is_reason_wrong = models.BooleanField(default=False, help_text=_("The listener marked the reason as wrong."))
    is_explored = models.BooleanField(
        default=False, help_text=_("Shown to explore. It wouldn't have been on the page otherwise.")
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("recommendation")
        verbose_name_plural = _("recommendations")
        ordering: ClassVar[list[str]] = ["-created_at", "position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["page", "position"], name="recommendation_position_once"),
            models.UniqueConstraint(fields=["page", "track"], name="recommendation_track_once"),
            models.CheckConstraint(
                condition=models.Q(propensity__gt=0.0, propensity__lte=1.0), name="recommendation_propensity"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "-created_at"], name="recommendation_by_listener"),
        ]

    def __str__(self) -> str:
        return f"{self.track} for {self.user}"
