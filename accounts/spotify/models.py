"""A listener's connection with Spotify."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.spotify.fields import EncryptedTextField

# Spotify ends a connection this long after consent, however often it was refreshed; about six months.
LIFETIME = timedelta(days=180)
_WARN = timedelta(days=30)


class SpotifyAccount(models.Model):
    """Which Spotify account is a listener's, and the tokens with which the site acts for them there."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="spotify")
    account_id = models.CharField(_("Spotify ID"), max_length=128, unique=True)
    display_name = models.CharField(_("Spotify display name"), max_length=200, blank=True)
    access_token = EncryptedTextField(editable=False, blank=True)
    refresh_token = EncryptedTextField(editable=False, blank=True)
    scopes = models.TextField(_("permissions"), blank=True)
    expires_at = models.DateTimeField(_("access token expires"))
    authorised_at = models.DateTimeField(_("connected at"), default=timezone.now)
    needs_reconnect = models.BooleanField(_("expired"), default=False)
    # Version of the tokens: a writer names the version it replaces.
    version = models.PositiveIntegerField(default=0, editable=False)
    # Until this time one process refreshes the tokens and the others wait.
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)

    # An email a month before the connection expires, for those who said yes; when it was sent.
    wants_email = models.BooleanField(default=False, db_default=False)
    emailed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("Spotify connection")
        ordering: ClassVar[list[str]] = ["user"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=~models.Q(account_id=""), name="spotify_account_id_not_empty"),
        ]

    def __str__(self) -> str:
        return self.display_name or self.account_id

    @property
    def ends_at(self) -> datetime:
        """The approximate time at which Spotify will end the connection."""
        return self.authorised_at + LIFETIME

    @property
    def ends_soon(self) -> bool:
        """Whether it is time to tell the listener that the connection ends."""
        return timezone.now() > self.ends_at - _WARN

    @classmethod
    def authorised_before(cls) -> datetime:
        """Return the latest authorisation time of connections that end soon."""
        return timezone.now() - LIFETIME + _WARN

    def permits(self, scope: str) -> bool:
        """Whether the listener agreed to ``scope``."""
        return scope in self.scopes.split()
