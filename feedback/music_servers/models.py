"""Which account at a music server is a listener's, and the playlists that the site put there."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.spotify.fields import EncryptedTextField
from catalog.fields import ExactCharField
from catalog.models import REMOTE_ID_LENGTH, MusicServer
from feedback.playlists.models import Playlist

USERNAME_LENGTH = 200


class ServerAccount(models.Model):
    """A listener's account at a music server. It counts from when the server accepted its log-in."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="server_accounts")
    server = models.ForeignKey(MusicServer, models.CASCADE, related_name="accounts", verbose_name=_("music server"))
    remote_user = ExactCharField(_("username there"), max_length=USERNAME_LENGTH)
    # Blank unless the listener wants lists and stars to go between.
    secret = EncryptedTextField(editable=False, blank=True)
    is_api_key = models.BooleanField(_("with an API key"), default=False)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True, editable=False)
    # ``remote_user`` once confirmed, else NULL: MariaDB has no unique constraint with a condition.
    confirmed_user = ExactCharField(max_length=USERNAME_LENGTH, null=True, blank=True, editable=False)
    # The same without letter case, for many servers don't tell "Anna" from "anna": an account is linked once.
    confirmed_key = ExactCharField(max_length=3 * USERNAME_LENGTH, null=True, blank=True, editable=False)
    # Stars and points there are likes and dislikes here; what they were when they were last read is in ServerMark.
    are_marks_read = models.BooleanField(_("read my stars and ratings"), default=False, db_default=False)
    marks_read_at = models.DateTimeField(_("stars last read"), null=True, blank=True, editable=False)
    error = models.TextField(_("last error"), blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("account at a music server")
        verbose_name_plural = _("accounts at music servers")
        ordering: ClassVar[list[str]] = ["pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "server"], name="server_account_once"),
            models.UniqueConstraint(fields=["server", "confirmed_user"], name="server_account_of_one_listener"),
            models.UniqueConstraint(fields=["server", "confirmed_key"], name="server_account_of_one_name"),
            models.CheckConstraint(condition=~models.Q(remote_user=""), name="server_account_user_not_empty"),
            models.CheckConstraint(
                condition=models.Q(confirmed_at=None, confirmed_user=None)
                | models.Q(confirmed_at__isnull=False, confirmed_user__isnull=False)
                & models.Q(confirmed_user=models.F("remote_user")),
                name="server_account_confirmed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.remote_user}"


class ServerMark(models.Model):
    """A song that the account there likes or dislikes, as it was last read: only what changes later teaches."""

    account = models.ForeignKey(ServerAccount, models.CASCADE, related_name="marks")
    remote_id = ExactCharField(max_length=REMOTE_ID_LENGTH)
    value = models.SmallIntegerField()

    class Meta:
        verbose_name = _("star or rating on a music server")
        verbose_name_plural = _("stars and ratings on music servers")
        ordering: ClassVar[list[str]] = ["pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["account", "remote_id"], name="server_mark_once"),
            models.CheckConstraint(condition=models.Q(value__in=[-1, 1]), name="server_mark_like_or_dislike"),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.remote_id}"


class PushedPlaylist(models.Model):
    """A playlist that the site put on a music server for a listener; renewed in place by its id there."""

    class Kind(models.TextChoices):
        PLAYLIST = "playlist", _("playlist")
        FOR_YOU = "for_you", _("For you")

    account = models.ForeignKey(ServerAccount, models.CASCADE, related_name="pushed_playlists")
    kind = models.CharField(_("type"), max_length=10, choices=Kind)
    playlist = models.ForeignKey(Playlist, models.CASCADE, null=True, blank=True, related_name="pushed")
    # The playlist's number, 0 for a kind without one: NULL would be unique every time.
    number = models.PositiveBigIntegerField(default=0, editable=False)
    # The name here of a list that is no playlist, in the language in which it was requested.
    label = models.CharField(max_length=100, blank=True, editable=False)
    is_renewed = models.BooleanField(_("keep up to date"), default=False)
    # The server's id, "" until it is there; and the name on the server, written before it is created there.
    remote_id = ExactCharField(max_length=REMOTE_ID_LENGTH, blank=True, editable=False)
    name = models.CharField(_("name"), max_length=150, blank=True, editable=False)
    # Of the songs sent.
    digest = ExactCharField(max_length=32, blank=True, editable=False)
    song_count = models.PositiveIntegerField(default=0, editable=False)
    wanted_count = models.PositiveIntegerField(default=0, editable=False)
    pushed_at = models.DateTimeField(null=True, blank=True, editable=False)
    error = models.TextField(_("last error"), blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("playlist on a music server")
        verbose_name_plural = _("playlists on music servers")
        ordering: ClassVar[list[str]] = ["pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["account", "kind", "number"], name="pushed_playlist_once"),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.title}"

    @property
    def title(self) -> str:
        """Return the name here, which it has on the server where no other has it."""
        return str(self.playlist.name if self.playlist else self.label or self.kind)

    @property
    def subject(self) -> str:
        """Return the subject of its jobs, so that two never run at the same time."""
        return f"push-playlist:{self.pk}"
