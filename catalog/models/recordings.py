"""Where recordings are, and what was measured of them."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.spotify.fields import EncryptedTextField
from catalog.fields import ExactCharField
from catalog.models.songs import MBID_LENGTH, Track

REMOTE_ID_LENGTH = 255


class MusicServer(models.Model):
    """Where recordings are: an OpenSubsonic server or a folder. Only the operator says where."""

    class Kind(models.TextChoices):
        SUBSONIC = "subsonic", _("music server")
        FOLDER = "folder", _("folder")

    kind = models.CharField(_("type"), max_length=10, choices=Kind)
    name = models.CharField(
        _("name"), max_length=60, blank=True, default="", db_default="", help_text=_("What listeners see of it.")
    )
    # Without a slash at the end; the folder's whole path.
    address = ExactCharField(_("address"), max_length=500, unique=True)
    username = models.CharField(_("username"), max_length=200, blank=True)
    secret = EncryptedTextField(editable=False, blank=True)
    is_api_key = models.BooleanField(_("with an API key"), default=False)
    is_active = models.BooleanField(_("switched on"), default=True, help_text=_("Is it read and played from?"))
    # Players reach it through this site, at /rest/: at most one server.
    is_proxied = models.BooleanField(_("proxied"), default=False, db_default=False, editable=False)
    # SHA-256 of the token with which its plug-in asks for similar songs; "" while there is none.
    plugin_digest = ExactCharField(max_length=64, blank=True, default="", db_default="", editable=False)
    # What the server can do, as probed: see catalog.sources.subsonic.client.
    abilities = models.JSONField(default=dict, blank=True, editable=False)
    # Counts the readings: songs that the last whole one did not see are gone.
    reading = models.PositiveIntegerField(default=0, editable=False)
    read_at = models.DateTimeField(_("last read"), null=True, blank=True, editable=False)
    error = models.TextField(_("last error"), blank=True, editable=False)

    class Meta:
        verbose_name = _("music server")
        verbose_name_plural = _("music servers")
        ordering: ClassVar[list[str]] = ["pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=~models.Q(address=""), name="music_server_address_not_empty"),
        ]

    def __str__(self) -> str:
        return str(self.address)

    @property
    def shown_name(self) -> str:
        """Return the name for listeners, who must not see the address: the operator's, else the software's."""
        software = str(self.abilities.get("software", "")).partition(" ")[0]
        return self.name or software[:1].upper() + software[1:] or gettext("Music server")


class ServerSong(models.Model):
    """A song as a music server has it: which song of the catalogue it is, and what its file is like."""

    server = models.ForeignKey(MusicServer, models.CASCADE, related_name="songs")
    track = models.ForeignKey(Track, models.CASCADE, related_name="server_songs")
    # The server's own id; of a file in a folder, a digest of its path.
    remote_id = ExactCharField(max_length=REMOTE_ID_LENGTH)
    # Within the folder; a server's songs have none.
    path = models.TextField(blank=True)
    suffix = models.CharField(max_length=10, blank=True)
    bit_rate = models.PositiveIntegerField(null=True, blank=True)
    size = models.PositiveBigIntegerField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    # The track gain of ReplayGain, in dB, where the tags have one.
    gain_db = models.FloatField(null=True, blank=True)
    cover_id = ExactCharField(max_length=REMOTE_ID_LENGTH, blank=True)
    release_mbid = ExactCharField(max_length=MBID_LENGTH, blank=True)
    # Of all that was read of it: what has the same is not looked at again.
    digest = ExactCharField(max_length=32)
    reading = models.PositiveIntegerField()
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["server", "remote_id"], name="server_song_once"),
        ]

    def __str__(self) -> str:
        return f"{self.server}: {self.remote_id}"


class SoundCalibration(models.Model):
    """How audio features follow from the engine's numbers, fitted on own songs; see catalog.sound.calibration."""

    # Of the engine and our rules: numbers of others are not comparable.
    version = models.CharField(_("version"), max_length=20)
    # Songs with a recording and known audio features.
    pairs = models.PositiveIntegerField(_("songs it was fitted on"))
    # By feature: weights and errors.
    columns = models.JSONField(default=dict)
    created_at = models.DateTimeField(_("fitted"), default=timezone.now)

    class Meta:
        verbose_name = _("sound calibration")
        verbose_name_plural = _("sound calibrations")
        ordering: ClassVar[list[str]] = ["-pk"]

    def __str__(self) -> str:
        return f"{self.version}, {self.pairs}"


class SoundAnalysis(models.Model):
    """What was measured of a recording; see catalog.sound."""

    class State(models.TextChoices):
        MEASURED = "measured", _("measured")
        EMPTY = "empty", _("silent, short or noise")
        BROKEN = "broken", _("broken")
        FAILED = "failed", pgettext_lazy("recording", "failed")

    server_song = models.OneToOneField(ServerSong, models.CASCADE, related_name="analysis")
    # Of the file as it was analysed: another means that it has changed.
    digest = ExactCharField(max_length=32)
    engine = models.CharField(max_length=20)
    version = models.CharField(_("version"), max_length=20)
    state = models.CharField(_("status"), max_length=10, choices=State)
    error = models.CharField(_("error"), max_length=200, blank=True)
    tempo = models.FloatField(_("Tempo"), null=True, blank=True)
    key = models.PositiveSmallIntegerField(pgettext_lazy("music", "Key"), null=True, blank=True)
    mode = models.PositiveSmallIntegerField(_("Mode"), null=True, blank=True)
    # In LUFS, of the excerpt.
    loudness = models.FloatField(_("Loudness"), null=True, blank=True)
    seconds_decoded = models.FloatField(null=True, blank=True)
    # The engine's similarity vector, and the numbers that a calibration is fitted on, by name.
    embedding = models.JSONField(default=list, blank=True)
    numbers = models.JSONField(default=dict, blank=True)
    # Audio features that follow from the numbers by a calibration, and by which.
    estimates = models.JSONField(default=dict, blank=True)
    calibration = models.ForeignKey(SoundCalibration, models.SET_NULL, null=True, blank=True, related_name="analyses")
    created_at = models.DateTimeField(_("analysed"), default=timezone.now)

    class Meta:
        verbose_name = _("sound analysis")
        verbose_name_plural = _("sound analyses")
        ordering: ClassVar[list[str]] = ["pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(key=None) | models.Q(key__lte=11), name="sound_analysis_key_0_to_11"
            ),
            models.CheckConstraint(
                condition=models.Q(mode=None) | models.Q(mode__lte=1), name="sound_analysis_mode_0_or_1"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.server_song_id}: {self.state}"
