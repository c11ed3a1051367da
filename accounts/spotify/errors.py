"""What can go wrong with Spotify, in the few ways that a listener can be told of."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _


class SpotifyError(Exception):
    """Spotify did not do what was asked; ``message`` tells the listener why and what they can do."""

    @property
    def message(self) -> str:
        """A sentence for the listener."""
        return _("Spotify did not do that.")


class NotConnected(SpotifyError):  # noqa: N818 - named for what is the case, which is what pages ask
    """The listener has not connected a Spotify account."""

    @property
    def message(self) -> str:
        return _("Connect your Spotify account in your profile first.")


class NeedsReconnect(SpotifyError):  # noqa: N818
    """The connection ended: revoked by the listener, or older than the six months that Spotify gives it."""

    @property
    def message(self) -> str:
        return _("Your connection with Spotify has ended. Reconnect in your profile: it takes two clicks.")


class NotPermitted(SpotifyError):  # noqa: N818
    """Spotify refuses this listener or this app (403). ``reason``: Spotify's code or sentence, may be empty."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def needs_premium(self) -> bool:
        """Whether the listener's subscription is what is missing."""
        return self.reason == "PREMIUM_REQUIRED"

    @property
    def message(self) -> str:
        if self.needs_premium:
            return _("Spotify lets only Premium listeners do that.")
        return _(
            "Spotify does not permit this. The site's operator may have to add you to the app's list of users, "
            "or the app may not be given this by Spotify."
        )


class RateLimited(SpotifyError):  # noqa: N818
    """Spotify wants to be left alone until ``until`` (an aware time)."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"until {until:%Y-%m-%d %H:%M:%S %Z}")
        self.until = until

    @property
    def message(self) -> str:
        local = timezone.localtime(self.until)
        moment = date_format(local, "TIME_FORMAT" if local.date() == timezone.localdate() else "DATETIME_FORMAT")
        return _("Spotify is asked too much at the moment. Try again after %(time)s.") % {"time": moment}


class Unavailable(SpotifyError):  # noqa: N818
    """Spotify does not answer, or nothing that makes sense. The reason is for the log."""

    @property
    def message(self) -> str:
        return _("Spotify does not answer at the moment. Everything else works; try again in a minute.")


class Refused(SpotifyError):  # noqa: N818
    """Spotify says no for another reason: ``status`` 404 where it is not there (or no device plays), 400, ..."""

    def __init__(self, status: int, reason: str = "") -> None:
        super().__init__(f"{status} {reason}".strip())
        self.status = status
        self.reason = reason

    @property
    def message(self) -> str:
        if self.reason == "NO_ACTIVE_DEVICE":
            return _("No device of yours is playing: open Spotify on one.")
        return _("Spotify does not have that (any more).") if self.status == 404 else super().message
