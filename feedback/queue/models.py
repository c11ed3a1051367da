"""The play queue: what a listener's player goes through."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Track


class PlayQueue(models.Model):
    """The songs that a listener's player goes through: one queue, whatever page or device it is played on."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="play_queue")
    # The place of the song that plays, empty before the first. A number, so that it stays when that song goes.
    position = models.PositiveIntegerField(null=True, blank=True)
    is_shuffled = models.BooleanField(default=False)
    origin = models.CharField(
        max_length=200, blank=True, help_text=_("Where the songs came from, as shown to the listener.")
    )
    origin_url = models.CharField(max_length=300, blank=True)
    updated_at = models.DateTimeField(default=timezone.now)
    is_playing = models.BooleanField(default=False, db_default=False)
    # Where in the song the player was, and when that was so; while it plays, it has gone on since.
    song_ms = models.PositiveIntegerField(default=0, db_default=0)
    song_ms_at = models.DateTimeField(null=True, blank=True)
    # The name that the page or program that plays gives itself.
    device = models.CharField(max_length=60, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("queue")
        verbose_name_plural = _("queues")

    def __str__(self) -> str:
        return f"{self.user}: {self.origin}"


class QueueItem(models.Model):
    """A song at its place in a play queue; the same song may stand there twice."""

    queue = models.ForeignKey(PlayQueue, models.CASCADE, related_name="items")
    track = models.ForeignKey(Track, models.CASCADE, related_name="queue_items")
    position = models.PositiveIntegerField()
    # The order before it was shuffled.
    original_position = models.PositiveIntegerField(db_column="place")
    is_radio = models.BooleanField(default=False, help_text=_("Added as a recommendation after the queue had ended."))

    class Meta:
        verbose_name = _("queued song")
        verbose_name_plural = _("queued songs")
        ordering: ClassVar[list[str]] = ["queue", "position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["queue", "position"], name="queue_position_once"),
        ]

    def __str__(self) -> str:
        return f"{self.queue_id} {self.position}: {self.track}"
