"""What a listener brought from Spotify, and which playlists the site keeps for them there."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.models import Job

PARTS = {
    "top": _("Songs you hear most"),
    "saved": _("Songs you saved"),
    "followed": _("Artists you follow"),
    "recent": _("What you played lately"),
}


class SpotifyBringing(models.Model):
    """The one record of what a listener brought from Spotify: asked for with their consent, taken back as a whole.

    ``counts``: by part, ``found`` at Spotify, ``matched`` with the catalogue, and ``added`` here.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="spotify_bringing")
    parts = models.JSONField(default=list)
    counts = models.JSONField(default=dict, blank=True)
    # Artists that were not among the listener's before, so that they can be taken back.
    artist_ids = models.JSONField(default=list, blank=True)
    error = models.CharField(max_length=500, blank=True)
    consented_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("songs brought from Spotify")
        verbose_name_plural = _("songs brought from Spotify")
        ordering: ClassVar[list[str]] = ["-consented_at"]

    def __str__(self) -> str:
        return f"{self.user}: {', '.join(self.parts)}"

    @property
    def subject(self) -> str:
        """What its jobs are called, so that two are never at work at once."""
        return f"spotify-bring:{self.user_id}"

    def job(self) -> Job | None:
        """Return the latest job; one query."""
        return Job.objects.filter(subject=self.subject).first()


class SpotifyPlaylist(models.Model):
    """A playlist that the site made in a listener's Spotify account, and brings up to date when they ask for it."""

    class Kind(models.TextChoices):
        LIKES = "likes", _("your likes")
        FOR_YOU = "for_you", _("your recommendations")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="spotify_playlists")
    kind = models.CharField(max_length=10, choices=Kind)
    spotify_id = models.CharField(max_length=64)
    song_count = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("playlist kept at Spotify")
        verbose_name_plural = _("playlists kept at Spotify")
        ordering: ClassVar[list[str]] = ["kind"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "kind"], name="spotify_playlist_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.kind}"
