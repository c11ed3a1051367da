"""Model versions, the record of recommendations, weekly lists, experiments, and blends."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from catalog.models import Track
from recommender.models.blends import Blend, BlendFit, BlendInvitation, BlendMember, BlendRefusal, BlendSong

__all__ = [
    "BLEND",
    "WEEKLY",
    "Blend",
    "BlendFit",
    "BlendInvitation",
    "BlendMember",
    "BlendRefusal",
    "BlendSong",
    "Experiment",
    "ExperimentArm",
    "ExperimentBucket",
    "ExperimentEvent",
    "ModelVersion",
    "Recommendation",
    "SiteServing",
    "WeeklyEmail",
    "WeeklyFeed",
    "WeeklyList",
    "WeeklySong",
]

WEEKLY = "week"
"""The section of a weekly list's recommendations."""
BLEND = "blend"
"""The section that the reasons of a blend's songs are recorded under."""


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
        verbose_name = _("model version")
        verbose_name_plural = _("model versions")
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
    # Empty: the listener took part in no experiment, or the page was made without the arm's setting.
    arm = models.ForeignKey(
        "recommender.ExperimentArm", models.SET_NULL, null=True, editable=False, related_name="recommendations"
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


class WeeklyList(models.Model):
    """The songs of one listener and one ISO week. It never changes, apart from the figures of how it went."""

    class Basis(models.TextChoices):
        FITTED = "fitted", _("learned from answers")
        PRIOR = "prior", _("a starting value")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="weekly_lists")
    week = models.DateField(help_text=_("Monday of the ISO week."))
    day = models.DateField(help_text=_("The day it is dated."))
    # The page of its recommendations, which hold the scores, propensities and reasons.
    page = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    expected = models.FloatField(
        help_text=_("How many of its songs we expected the listener to like or finish, if they heard all.")
    )
    basis = models.CharField(max_length=10, choices=Basis)
    answers = models.PositiveIntegerField(default=0, help_text=_("Answers that the expectation was learned from."))
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Set before the email is sent, so that it is sent at most once.
    emailed_at = models.DateTimeField(null=True, blank=True, editable=False)
    # How it went, written once its time is over.
    heard = models.PositiveSmallIntegerField(null=True, blank=True, help_text=_("Songs the listener heard or rated."))
    expected_of_heard = models.FloatField(null=True, blank=True)
    succeeded = models.PositiveSmallIntegerField(null=True, blank=True, help_text=_("Songs liked or finished."))

    class Meta:
        verbose_name = _("weekly list")
        verbose_name_plural = _("weekly lists")
        ordering: ClassVar[list[str]] = ["-week", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "week"], name="weekly_list_once"),
            models.CheckConstraint(condition=models.Q(expected__gte=0.0), name="weekly_list_expected"),
            models.CheckConstraint(condition=models.Q(succeeded__lte=models.F("heard")), name="weekly_list_succeeded"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["week", "emailed_at"], name="weekly_list_email")]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """Return what the list is called, in the active language."""
        return gettext("Your week, %(day)s") % {"day": date_format(self.day, "MONTH_DAY_FORMAT")}

    def get_absolute_url(self) -> str:
        """Return the list's page."""
        return reverse("recommender:week", args=[self.pk])


class WeeklySong(models.Model):
    """A song of a weekly list, with its names, which stay when the song goes."""

    weekly_list = models.ForeignKey(WeeklyList, models.CASCADE, related_name="songs")
    position = models.PositiveSmallIntegerField()
    track = models.ForeignKey(Track, models.SET_NULL, null=True, blank=True, related_name="weekly_songs")
    name = models.CharField(_("title"), max_length=500)
    artists = models.CharField(_("artists"), max_length=500, blank=True)
    probability = models.FloatField(
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_("Probability that the listener likes or finishes it, if they hear it."),
    )

    class Meta:
        verbose_name = _("song of a weekly list")
        verbose_name_plural = _("songs of weekly lists")
        ordering: ClassVar[list[str]] = ["weekly_list", "position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["weekly_list", "position"], name="weekly_song_position_once"),
            models.UniqueConstraint(fields=["weekly_list", "track"], name="weekly_song_track_once"),
            models.CheckConstraint(
                condition=models.Q(probability__gte=0.0, probability__lte=1.0), name="weekly_song_probability"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.weekly_list} {self.position}: {self.name}"


class WeeklyFeed(models.Model):
    """A private address at which programs follow a listener's weekly lists. It is shown once and not stored."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="weekly_feed")
    # SHA-256 of a random token of 256 bits.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    # What feed readers know the feed by; it stays when the address is renewed.
    feed_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    language = models.CharField(max_length=10, default="en")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("feed of weekly lists")
        verbose_name_plural = _("feeds of weekly lists")

    def __str__(self) -> str:
        return str(self.user)


class WeeklyEmail(models.Model):
    """The listener wants each weekly list by email; without a row they get none."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="weekly_email")
    language = models.CharField(max_length=10, default="en")
    # Scheme and host at which the listener said yes: a background job knows no address of its own.
    origin = models.CharField(max_length=300)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("email of weekly lists")
        verbose_name_plural = _("emails of weekly lists")

    def __str__(self) -> str:
        return str(self.user)


class SiteServing(models.Model):
    """How every listener is served who takes part in no experiment: one row, made by the first experiment."""

    slot = models.BooleanField(default=True, unique=True, editable=False)
    # Another one after every change of this row or of what runs, so that processes see that they have to read again.
    token = models.CharField(max_length=32, editable=False)
    dial = models.FloatField(null=True, editable=False)
    overrides = models.JSONField(default=dict, editable=False)
    shelves = models.JSONField(default=list, editable=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(slot=True), name="site_serving_once"),
            models.CheckConstraint(
                condition=models.Q(dial__isnull=True) | models.Q(dial__gte=0.0, dial__lte=1.0),
                name="site_serving_dial_0_to_1",
            ),
        ]

    def __str__(self) -> str:
        return "the site's own setting"


class Experiment(models.Model):
    """Two or three ways of serving, each to a share of the listeners, until one is adopted or it is stopped."""

    class State(models.TextChoices):
        DRAFT = "draft", pgettext_lazy("experiment", "not started")
        RUNNING = "running", pgettext_lazy("experiment", "running")
        STOPPED = "stopped", pgettext_lazy("experiment", "stopped")
        ADOPTED = "adopted", pgettext_lazy("experiment", "adopted")

    name = models.CharField(_("name"), max_length=80, unique=True)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT, editable=False)
    share = models.PositiveSmallIntegerField(
        _("share of listeners, in percent"), validators=[MinValueValidator(1), MaxValueValidator(100)], default=100
    )
    days = models.PositiveSmallIntegerField(
        _("days"), validators=[MinValueValidator(1), MaxValueValidator(365)], default=28
    )
    max_loss = models.PositiveSmallIntegerField(
        _("largest loss of likes, in percent"), validators=[MinValueValidator(0), MaxValueValidator(99)], default=10
    )
    # Mixed into the hash that gives each listener an arm, so that two experiments part the listeners independently.
    salt = models.CharField(max_length=32, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    ends_at = models.DateTimeField(null=True, editable=False)
    stopped_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(share__gte=1, share__lte=100), name="experiment_share"),
            models.CheckConstraint(condition=models.Q(days__gte=1, days__lte=365), name="experiment_days"),
            models.CheckConstraint(condition=models.Q(max_loss__lte=99), name="experiment_max_loss"),
            models.CheckConstraint(
                condition=models.Q(state="draft", started_at__isnull=True, stopped_at__isnull=True)
                | models.Q(state="running", started_at__isnull=False, stopped_at__isnull=True)
                | models.Q(state__in=["stopped", "adopted"], started_at__isnull=False, stopped_at__isnull=False),
                name="experiment_state_matches_times",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ExperimentArm(models.Model):
    """One way of serving; number 0 is the control. What is empty is as on the rest of the site."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="arms")
    number = models.PositiveSmallIntegerField(validators=[MaxValueValidator(2)])
    name = models.CharField(_("name"), max_length=40)
    model_version = models.ForeignKey(ModelVersion, models.PROTECT, null=True, related_name="+")
    # Where another arm has a version of its own: the active one at the start. A later one would have seen more likes.
    pinned_version = models.ForeignKey(ModelVersion, models.PROTECT, null=True, editable=False, related_name="+")
    dial = models.FloatField(null=True)
    overrides = models.JSONField(default=dict)
    shelves = models.JSONField(default=list)
    # Its listeners are served as the control since then, and are not counted any more.
    stopped_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["experiment", "number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["experiment", "number"], name="experiment_arm_number_once"),
            models.UniqueConstraint(fields=["experiment", "name"], name="experiment_arm_name_once"),
            models.CheckConstraint(condition=models.Q(number__lte=2), name="experiment_arm_number"),
            models.CheckConstraint(
                condition=models.Q(number__gt=0) | models.Q(stopped_at__isnull=True),
                name="experiment_control_never_stopped",
            ),
            models.CheckConstraint(
                condition=models.Q(dial__isnull=True) | models.Q(dial__gte=0.0, dial__lte=1.0),
                name="experiment_arm_dial_0_to_1",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ExperimentBucket(models.Model):
    """One percent of the listeners, taken by a running experiment: a listener is never in two at a time."""

    number = models.PositiveSmallIntegerField(unique=True, validators=[MaxValueValidator(99)])
    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="buckets")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(number__lte=99), name="experiment_bucket_number"),
        ]

    def __str__(self) -> str:
        return f"{self.number} of {self.experiment}"


class ExperimentEvent(models.Model):
    """What was done with an experiment: by whom, when, why, and the figures at that moment."""

    class Action(models.TextChoices):
        CREATED = "created", pgettext_lazy("experiment", "created")
        STARTED = "started", pgettext_lazy("experiment", "started")
        ARM_STOPPED = "arm-stopped", pgettext_lazy("experiment", "arm stopped by the guard rail")
        STOPPED = "stopped", pgettext_lazy("experiment", "stopped")
        ADOPTED = "adopted", pgettext_lazy("experiment", "adopted")

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="events")
    at = models.DateTimeField(default=timezone.now, editable=False)
    # Empty: the periodic job, the command line, or an account deleted since.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="experiment_events")
    action = models.CharField(max_length=12, choices=Action)
    arm = models.ForeignKey(ExperimentArm, models.CASCADE, null=True, related_name="+")
    note = models.CharField(max_length=500, blank=True)
    figures = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        return f"{self.experiment}: {self.get_action_display()}"
