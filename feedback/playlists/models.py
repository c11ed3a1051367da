"""Songs that a listener put in an order."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Track
from feedback.source import Source


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
