"""Sources of feedback."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Source(models.TextChoices):
    """The source of a row of feedback. Spotify's terms forbid fitting a shared model on data from its API."""

    SITE = "site", _("this site")
    SPOTIFY = "spotify", _("Spotify")
    HISTORY = "history", _("the listener's own history")
    SCROBBLE = "scrobble", _("your players")

    @classmethod
    def shareable(cls) -> list[str]:
        """Return the sources a model for all listeners may be fitted on.

        A history that a listener exported is their own data, handed to them by law and brought here by themselves: it
        did not come through Spotify's API, whose terms therefore do not reach it, whichever service it is from. Nor did
        what their own players tell.
        """
        return [cls.SITE, cls.HISTORY, cls.SCROBBLE]
