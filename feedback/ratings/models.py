"""Likes and dislikes."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Track
from feedback.source import Source


class Rating(models.Model):
    """A like or a dislike: one row per listener and song."""

    class Value(models.IntegerChoices):
        DISLIKE = -1, _("dislike")
        LIKE = 1, _("like")

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
            # Lets `retrain --if-needed` detect changes with one query.
            models.Index(fields=["updated_at"], name="rating_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.get_value_display()}: {self.track}"
