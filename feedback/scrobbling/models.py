"""Tokens of players, the songs as players name them, and their reports."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Track
from feedback.plays.models import Play


class ScrobbleKey(models.Model):
    """A token with which one player reports plays, and nothing else. It is shown once and not stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="scrobble_keys")
    name = models.CharField(_("name"), max_length=60, help_text=_("The player or server, for example “Navidrome”."))
    # SHA-256 of a random UUID.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    # MD5 of it, which the old protocols prove knowledge of; "" unless they were on when it was made.
    old_digest = models.CharField(max_length=32, blank=True, default="", db_default="", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The name that the program last gave itself.
    last_client = models.CharField(max_length=60, blank=True, default="", db_default="", editable=False)

    class Meta:
        verbose_name = _("player token")
        verbose_name_plural = _("player tokens")
        ordering: ClassVar[list[str]] = ["-created_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=~models.Q(name=""), name="scrobble_key_name_not_empty"),
        ]

    def __str__(self) -> str:
        return str(self.name)


class OldProtocols(models.Model):
    """The listener accepts plays by Last.fm's and AudioScrobbler's protocols; without a row they do not."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="old_protocols")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("old protocols")
        verbose_name_plural = _("old protocols")

    def __str__(self) -> str:
        return str(self.user)


class ScrobbledSong(models.Model):
    """A song by the names a listener's players give it, and which song of the catalogue it is."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="scrobbled_songs")
    # Of title, artist and album; and of title and artist alone.
    digest = models.BigIntegerField(editable=False)
    name_digest = models.BigIntegerField(editable=False)
    title = models.CharField(max_length=500)
    artist = models.CharField(max_length=300)
    album = models.CharField(max_length=500, blank=True)
    mbid = models.CharField(_("MusicBrainz ID"), max_length=36, blank=True, default="")
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    track = models.ForeignKey(Track, models.SET_NULL, null=True, blank=True, related_name="scrobbled_songs")
    is_by_hand = models.BooleanField(default=False, help_text=_("Whether the listener chose the song."))
    # A like (1) or dislike (-1) that waits for the song.
    love = models.SmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("scrobbled song")
        verbose_name_plural = _("scrobbled songs")
        ordering: ClassVar[list[str]] = ["title", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "digest"], name="scrobbled_song_once"),
            models.CheckConstraint(
                condition=models.Q(love__isnull=True) | models.Q(love__in=[-1, 1]), name="scrobbled_song_love"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "name_digest"], name="scrobbled_song_by_name"),
            models.Index(fields=["user", "mbid"], name="scrobbled_song_by_mbid"),
        ]

    def __str__(self) -> str:
        return f"{self.title} - {self.artist}"


class Scrobble(models.Model):
    """One listen as one player reported it. Several may belong to one play; listens without a matching song wait for
    it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="scrobbles")
    key = models.ForeignKey(ScrobbleKey, models.SET_NULL, null=True, blank=True, related_name="scrobbles")
    # The name of the program, because several may share a token.
    client = models.CharField(max_length=60, blank=True, default="")
    song = models.ForeignKey(ScrobbledSong, models.CASCADE, related_name="scrobbles")
    # Of the token, time and names, so that a listen that is sent twice is stored once.
    digest = models.BigIntegerField(editable=False)
    listened_at = models.DateTimeField()
    # Players stamp the start, the middle or the end of a listen; this is the start as far as it is known.
    started_at = models.DateTimeField()
    is_exact = models.BooleanField(default=False, help_text=_("Whether the start is known to some seconds."))
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    ms_played = models.PositiveIntegerField(null=True, blank=True)
    is_skip = models.BooleanField(default=False)
    play = models.ForeignKey(Play, models.SET_NULL, null=True, blank=True, related_name="scrobbles")
    # Whether the play was made from it: it goes when the match is undone.
    is_origin = models.BooleanField(default=False)
    is_waiting = models.BooleanField(default=False, help_text=_("Whether it waits for a song that matches."))
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("scrobble")
        verbose_name_plural = _("scrobbles")
        ordering: ClassVar[list[str]] = ["-listened_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "digest"], name="scrobble_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "is_waiting", "song"], name="scrobble_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.song}"
